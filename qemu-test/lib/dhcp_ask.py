#!/usr/bin/env python3
"""Ask as a machine's firmware would what it is to boot: one DHCPDISCOVER, then the answer of one server as JSON.

usage: dhcp_ask.py [--arch N] [--vendor-class TEXT] [--user-class TEXT] [--ipxe] [--port N [--item]] INTERFACE SERVER

  --arch N             option 93; given several times: several
  --vendor-class TEXT  option 60
  --user-class TEXT    option 77
  --ipxe               option 175
  --port 4011          a DHCPREQUEST to a proxyDHCP server's own port instead, as PXE firmware does after it has an address
  --item               the first item of dnsmasq's boot menu (option 43, PXE's tag 71), which a BIOS chooses by itself

Without an answer within five seconds nothing is written: a server may ask for three whether an address is taken.
"""
import argparse, json, os, socket, struct, sys, time

UUID = bytes(range(16))
NAMES = {1: "mask", 3: "router", 6: "dns", 54: "server"}


def option(code, data):
    return bytes([code, len(data)]) + data


def question(args, xid, kind, address):
    options = option(53, bytes([kind])) + option(55, bytes([1, 3, 6, 43, 54, 60, 66, 67, 97]))
    options += option(97, b"\0" + UUID)
    if args.arch:
        options += option(93, b"".join(struct.pack("!H", a) for a in args.arch)) + option(94, b"\1\3\1")
    if args.vendor_class:
        options += option(60, args.vendor_class.encode())
    if args.user_class:
        options += option(77, args.user_class.encode())
    if args.item:
        options += option(43, b"\x47\4\x80\0\0\0\xff")
    if args.ipxe:
        options += option(175, b"\xeb\3\1\0\0\x17\1\1")
    head = struct.pack("!BBBB4sHH4s12x", 1, 1, 6, 0, xid, 0, 0 if address else 0x8000, socket.inet_aton(address or "0.0.0.0"))
    return head + b"\x52\x54\0\x41\0\1".ljust(16, b"\0") + bytes(64 + 128) + b"\x63\x82\x53\x63" + options + b"\xff"


def answer(data):
    found = {"yiaddr": socket.inet_ntoa(data[16:20]), "siaddr": socket.inet_ntoa(data[20:24])}
    options, at = {}, 240
    while at < len(data) and data[at] != 255:
        if data[at] == 0:
            at += 1
            continue
        options[data[at]] = data[at + 2:at + 2 + data[at + 1]]
        at += 2 + data[at + 1]
    field = b"" if options.get(52, b"\0")[0] & 1 else data[108:236].split(b"\0")[0]
    found["file"] = (options.get(67, b"").rstrip(b"\0") or field).decode()
    found["vendorClass"] = options.get(60, b"").rstrip(b"\0").decode()
    found["sameUuid"] = options.get(97) == b"\0" + UUID
    found["option43"] = options.get(43, b"").hex()
    for code, name in NAMES.items():
        value = options.get(code, b"")
        found[name] = ",".join(socket.inet_ntoa(value[i:i + 4]) for i in range(0, len(value), 4))
    return found


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--arch", type=int, action="append")
    parser.add_argument("--vendor-class")
    parser.add_argument("--user-class")
    parser.add_argument("--ipxe", action="store_true")
    parser.add_argument("--item", action="store_true")
    parser.add_argument("--port", type=int, default=67)
    parser.add_argument("interface")
    parser.add_argument("server")
    args = parser.parse_args()
    xid = struct.pack("!I", os.getpid())
    to = args.server if args.port != 67 else "255.255.255.255"
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, args.interface.encode())
    address = None
    if args.port != 67:
        s.connect((to, args.port))
        address = s.getsockname()[0]
        s.close()
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, args.interface.encode())
    s.bind((address or "", 68))
    end = time.monotonic() + 5
    s.sendto(question(args, xid, 1 if args.port == 67 else 3, address), (to, args.port))
    while (left := end - time.monotonic()) > 0:
        s.settimeout(left)
        try:
            data = s.recv(2048)
        except socket.timeout:
            break
        if len(data) >= 240 and data[0] == 2 and data[4:8] == xid and answer(data)["server"] == args.server:
            print(json.dumps(answer(data)))
            break


sys.exit(main())
