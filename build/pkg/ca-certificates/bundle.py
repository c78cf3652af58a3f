#!/usr/bin/python3
"""bundle.py - Mozilla's certdata.txt as one PEM file

usage: bundle.py <certdata.txt >ca-certificates.crt

Of the certificates those whose trust object lets them vouch for servers, in the order of the file. A trust object
names its certificate by issuer and serial number; objects are attributes up to the next CKA_CLASS.
"""
import base64
import re
import sys


def objects(lines):
    """The file's objects: attribute -> text, or bytes for octal values"""
    current = None
    for line in lines:
        fields = line.rstrip("\n").split(" ", 2)
        if fields[0] == "CKA_CLASS":
            if current:
                yield current
            current = {}
        if current is None or not fields[0].startswith("CKA_") or len(fields) < 2:
            continue
        if fields[1] == "MULTILINE_OCTAL":
            value = b""
            for octal in lines:
                if octal.startswith("END"):
                    break
                value += bytes(int(digits, 8) for digits in re.findall(r"\\([0-7]{3})", octal))
        else:
            value = fields[2] if len(fields) > 2 else ""
        current[fields[0]] = value
    if current:
        yield current


def main():
    everything = list(objects(iter(sys.stdin)))
    trusted = {(o["CKA_ISSUER"], o["CKA_SERIAL_NUMBER"]) for o in everything
               if o["CKA_CLASS"] == "CKO_NSS_TRUST" and o["CKA_TRUST_SERVER_AUTH"] == "CKT_NSS_TRUSTED_DELEGATOR"}
    count = 0
    for o in everything:
        if o["CKA_CLASS"] != "CKO_CERTIFICATE" or (o["CKA_ISSUER"], o["CKA_SERIAL_NUMBER"]) not in trusted:
            continue
        text = base64.b64encode(o["CKA_VALUE"]).decode()
        body = "\n".join(text[i:i + 64] for i in range(0, len(text), 64))
        print(f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----")
        count += 1
    if count < 50:
        sys.exit(f"only {count} certificates: certdata.txt has changed its form")


if __name__ == "__main__":
    main()
