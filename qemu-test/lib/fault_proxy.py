#!/usr/bin/env python3
"""A controller that misbehaves: stands before a real one and does wrong what it is told to.

usage: fault_proxy.py [--tls CERT KEY] LISTEN_PORT TARGET_PORT PLAN

PLAN is a file of lines `PATTERN FAULT COUNT`, read anew for each connection: the first line whose PATTERN (a regular
expression) is found in the request's path, and that was not used COUNT times yet, decides. Where none does, the connection
is passed on as it is. With --tls only the line's first word `*` is looked for before the handshake: what comes is passed on
unread, so the client's certificate reaches the real one. Each fault is written to standard output as it happens.

  error      503, as of a broken server behind a load balancer      wrong     200 with a page of HTML
  empty      200 with nothing                                       object    200 with `{}`
  cut        the real answer, ended after half of it                hang      nothing, for ever
  garbage    bytes that are no HTTP and no TLS                      close     the connection is closed at once
  slow       the real answer, 1 MiB a second                      late      the real answer, 20 seconds later
"""
import argparse, asyncio, re, ssl, sys

PAGE = b"<html><body>" + b"It works! " * 400 + b"</body></html>\n"
ANSWERS = {
    "error": (503, b"no server is available to handle this request\n"),
    "wrong": (200, PAGE),
    "empty": (200, b""),
    "object": (200, b"{}"),
}
used = {}


def fault_of(plan, path):
    with open(plan) as f:
        for number, line in enumerate(f):
            if not line.strip():
                continue
            pattern, fault, count = line.split()
            if (pattern == "*" or re.search(pattern, path)) and used.get(number, 0) < int(count):
                used[number] = used.get(number, 0) + 1
                print(f"fault={fault} path={path}", flush=True)
                return fault
    return "pass"


async def pump(reader, writer, limit=None, pace=None):
    sent = 0
    try:
        while data := await reader.read(65536):
            if limit is not None and sent + len(data) > limit:
                data = data[:limit - sent]
            writer.write(data)
            await writer.drain()
            sent += len(data)
            if limit is not None and sent >= limit:
                break
            if pace:
                await asyncio.sleep(len(data) / pace)
    except (ConnectionError, asyncio.CancelledError):
        pass
    finally:
        writer.close()


async def header(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    return head, head.split(b" ", 2)[1].decode(errors="replace")


async def pass_on(head, reader, writer, fault, target=None):
    if fault == "late":
        await asyncio.sleep(20)
    back_reader, back_writer = await asyncio.open_connection("127.0.0.1", target or args.target)
    back_writer.write(head)
    limit = None
    first = b""
    if fault == "cut":
        first = await back_reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: *(\d+)", first)
        limit = int(length[1]) // 2 if length else 100
        writer.write(first)
    await asyncio.wait([asyncio.ensure_future(pump(reader, back_writer)),
                        asyncio.ensure_future(pump(back_reader, writer, limit, 1048576 if fault == "slow" else None))],
                       return_when=asyncio.FIRST_COMPLETED if limit is not None else asyncio.ALL_COMPLETED)
    back_writer.close()


async def misbehave(fault, writer):
    if fault == "garbage":
        writer.write(bytes(range(256)) * 8)
    elif fault == "hang":
        await asyncio.sleep(3600)
    elif fault in ANSWERS:
        status, body = ANSWERS[fault]
        writer.write(b"HTTP/1.1 %d What\r\nContent-Type: text/html\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"
                     % (status, len(body), body))
    await writer.drain()


async def plain(reader, writer):
    try:
        head, path = await header(reader)
        fault = fault_of(args.plan, path)
        # One request a connection, so that each is looked at
        head = re.sub(rb"(?i)\r\nconnection:[^\r]*", b"", head).replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
        if fault in ("pass", "cut", "slow", "late"):
            await pass_on(head, reader, writer, fault)
        else:
            await misbehave(fault, writer)
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def answerer(fault):
    """The port of one that speaks TLS and answers that; for one connection"""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*args.tls)

    async def answer(reader, writer):
        try:
            print(f"answered={fault} path={(await header(reader))[1]}", flush=True)
            await misbehave(fault, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            server.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    return server.sockets[0].getsockname()[1]


async def secured(reader, writer):
    try:
        fault = fault_of(args.plan, "*")
        if fault in ("pass", "slow", "late"):
            await pass_on(b"", reader, writer, fault)
        elif fault in ANSWERS:
            await pass_on(b"", reader, writer, fault, await answerer(fault))
        else:
            await misbehave(fault, writer)
    except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, OSError):
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(secured if args.tls else plain, args.address, args.listen)
    async with server:
        await server.serve_forever()


parser = argparse.ArgumentParser(usage=__doc__)
parser.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"))
parser.add_argument("--address", default="127.0.0.1")
parser.add_argument("listen", type=int)
parser.add_argument("target", type=int)
parser.add_argument("plan")
args = parser.parse_args()
sys.exit(asyncio.run(main()))
