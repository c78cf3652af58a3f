#!/usr/bin/env python3
"""sbom.py - the bill of materials of what is booted, as SPDX 2.3 JSON

usage: sbom.py VERSION OUTPUT FILE...   FILE: out/images/NAME, out/bin/NAME; SOURCE_DATE_EPOCH is the date
       sbom.py --check DOCUMENT         is it what SPDX 2.3 asks for, and does it speak of every source?
       sbom.py --table                  name, version, licence and what carries it, a line each

Out of build/sources.lock (versions, checksums, where from), build/sbom.list (licences, suppliers, what carries what) and
the files themselves. Equal input gives equal bytes: the namespace is named by a hash of the rest.
"""

import datetime
import hashlib
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
# What is made of what, beside the sources
PARTS = {
    "hypermetal-uki.efi": ["bzImage", "initramfs"],
    "hypermetal.iso": ["hypermetal-uki.efi"],
    "hypermetal.raw.zst": ["hypermetal-uki.efi"],
}


def rows(name, separator, fields):
    with open(os.path.join(HERE, name), encoding="utf-8") as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                row = line.rstrip("\n").split(separator)
                if len(row) != len(fields):
                    sys.exit(f"{name}: {len(row)} fields, not {len(fields)}: {line}")
                yield dict(zip(fields, row))


def sources():
    lock = {r["name"]: r for r in rows("sources.lock", " ",
            ["name", "version", "file", "sha256", "source", "suite", "upstream", "policy"])}
    more = {r["name"]: r for r in rows("sbom.list", "|", ["name", "built", "licence", "supplier", "cpe", "in"])}
    if set(lock) != set(more):
        sys.exit(f"build/sources.lock and build/sbom.list differ: {', '.join(sorted(set(lock) ^ set(more)))}")
    taken = os.path.join(os.environ.get("HYPERMETAL_CACHE", ""), "src")
    for name, row in lock.items():
        row.update(more[name])
        # A point release that was taken in the pinned one's place (build/fetch.sh)
        instead = os.path.join(taken, name + ".instead")
        if os.path.exists(instead):
            with open(instead, encoding="utf-8") as file:
                line = file.read().split("\n")[1].split(" ")
            row.update(zip(["name", "version", "file", "sha256"], line))
        yield row


def spdx_id(kind, name):
    return f"SPDXRef-{kind}-{re.sub(r'[^A-Za-z0-9.]', '-', name)}"


def package(row):
    deb = row["file"].endswith(".deb")
    source = row["source"]
    # What only Debian has is named by its purl: each builder has a mirror of his own
    location = row["upstream"] if row["upstream"] != "-" else NONE
    purl = f"pkg:deb/debian/{source}@{row['version']}?distro={row['suite'].split('/')[0]}" + ("" if deb else "&arch=source")
    refs = [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl.replace("+", "%2B")}]
    if row["cpe"] != "-":
        refs.append({"referenceCategory": "SECURITY", "referenceType": "cpe23Type",
                     "referenceLocator": f"cpe:2.3:a:{row['cpe']}:{row['version'].split('+')[0]}:*:*:*:*:*:*:*"
                     .replace("cpe:2.3:a:linux:", "cpe:2.3:o:linux:")})
    patches = os.path.join(HERE, "pkg", row["name"])
    made = {"SPDXID": spdx_id("Package", row["name"]), "name": row["name"], "versionInfo": row["version"],
            "packageFileName": row["file"], "supplier": row["supplier"], "downloadLocation": location,
            "filesAnalyzed": False, "checksums": [{"algorithm": "SHA256", "checksumValue": row["sha256"]}],
            "licenseConcluded": row["licence"], "licenseDeclared": row["licence"], "copyrightText": "NOASSERTION",
            "externalRefs": refs, "primaryPackagePurpose": "SOURCE" if not deb else "ARCHIVE"}
    if os.path.isdir(patches) and any(f.endswith(".patch") for f in os.listdir(patches)):
        made["comment"] = "built with " + ", ".join(
            f"build/pkg/{row['name']}/{f}" for f in sorted(os.listdir(patches)) if f.endswith(".patch"))
    return made


NONE = "NOASSERTION"


def digest(path, kind):
    h = hashlib.new(kind)
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            h.update(block)
    return h.hexdigest()


def document(version, paths):
    names = {os.path.basename(p) for p in paths}
    own = {"SPDXID": "SPDXRef-Package-hypermetal", "name": "HyperMetal", "versionInfo": version,
           "supplier": "Organization: HyperMetal", "downloadLocation": NONE, "filesAnalyzed": False,
           "licenseConcluded": "Apache-2.0", "licenseDeclared": "Apache-2.0", "copyrightText": NONE,
           "primaryPackagePurpose": "OPERATING-SYSTEM"}
    packages, files, relations = [own], [], []

    def relate(one, kind, other):
        relations.append({"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other})

    relate("SPDXRef-DOCUMENT", "DESCRIBES", own["SPDXID"])
    for path in sorted(paths, key=os.path.basename):
        name = os.path.basename(path)
        files.append({"SPDXID": spdx_id("File", name), "fileName": "./" + os.path.relpath(path, os.environ.get("O", "out")),
                      "checksums": [{"algorithm": a, "checksumValue": digest(path, a.lower())} for a in ("SHA1", "SHA256")],
                      "licenseConcluded": NONE, "copyrightText": NONE})
        relate(own["SPDXID"], "CONTAINS", spdx_id("File", name))
        for part in PARTS.get(name, []):
            relate(spdx_id("File", name), "CONTAINS", spdx_id("File", part))
    for row in sorted(sources(), key=lambda r: r["name"]):
        packages.append(package(row))
        for where in row["in"].split():
            if where == "build":
                relate(spdx_id("Package", row["name"]), "BUILD_TOOL_OF", own["SPDXID"])
            elif where not in names:
                sys.exit(f"build/sbom.list: {row['name']} is in {where}, which is none of {' '.join(sorted(names))}")
            else:
                relate(spdx_id("File", where), "GENERATED_FROM", spdx_id("Package", row["name"]))
    date = datetime.datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), datetime.timezone.utc)
    made = {"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
            "name": f"HyperMetal {version}",
            "creationInfo": {"created": date.strftime("%Y-%m-%dT%H:%M:%SZ"),
                             "creators": ["Organization: HyperMetal", "Tool: build/sbom.py"]},
            "packages": packages, "files": files, "relationships": relations}
    name = hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()
    made["documentNamespace"] = f"https://hypermetal.io/spdx/{name}"
    return made


def check(path):
    """What the specification demands of the parts that we write; what it cannot know: that no source is missing."""
    with open(path, encoding="utf-8") as file:
        doc = json.load(file)
    wrong = []

    def need(where, thing, **patterns):
        for key, pattern in patterns.items():
            if not re.fullmatch(pattern, str(thing.get(key, ""))):
                wrong.append(f"{where}: {key} is {thing.get(key)!r}")

    licence = r"NOASSERTION|NONE|[A-Za-z0-9.() +-]+"
    need("document", doc, spdxVersion="SPDX-2.3", dataLicense="CC0-1.0", SPDXID="SPDXRef-DOCUMENT", name=".+",
         documentNamespace="https://[^#]+")
    need("creationInfo", doc["creationInfo"], created=r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", creators=".+")
    for p in doc["packages"]:
        need(p["name"], p, SPDXID=r"SPDXRef-[A-Za-z0-9.-]+", versionInfo=".+", supplier="(Organization|Person): .+",
             downloadLocation=r"NOASSERTION|https://[^ ]+", filesAnalyzed="False", licenseConcluded=licence,
             licenseDeclared=licence, copyrightText=".+")
    for f in doc["files"]:
        need(f["fileName"], f, SPDXID=r"SPDXRef-[A-Za-z0-9.-]+", fileName=r"\./.+")
        sums = {c["algorithm"]: c["checksumValue"] for c in f["checksums"]}
        need(f["fileName"], sums, SHA1="[0-9a-f]{40}", SHA256="[0-9a-f]{64}")
        real = os.path.join(os.environ.get("O", "out"), f["fileName"])
        if os.path.exists(real) and digest(real, "sha256") != sums["SHA256"]:
            wrong.append(f"{f['fileName']}: the file has another checksum")
    ids = [e["SPDXID"] for e in doc["packages"] + doc["files"]] + ["SPDXRef-DOCUMENT"]
    if len(ids) != len(set(ids)):
        wrong.append("identifiers are not unique")
    for r in doc["relationships"]:
        need("relationship", r, relationshipType="DESCRIBES|CONTAINS|GENERATED_FROM|BUILD_TOOL_OF")
        for end in (r["spdxElementId"], r["relatedSpdxElement"]):
            if end not in ids:
                wrong.append(f"relationship: {end} is not there")
    have = {(p["name"], p["checksums"][0]["checksumValue"]) for p in doc["packages"] if "checksums" in p}
    wrong += [f"{r['name']} {r['sha256']}: not in it" for r in sources() if (r["name"], r["sha256"]) not in have]
    for line in wrong:
        print(f"{path}: {line}")
    return bool(wrong)


def main(args):
    if args[:1] in (["--help"], ["-h"]) or not args:
        print(__doc__)
    elif args[0] == "--table":
        for row in sorted(sources(), key=lambda r: r["name"]):
            print(f"{row['name']:<18} {row['version']:<22} {row['licence']:<64} {row['in']}")
    elif args[0] == "--check":
        return check(args[1])
    else:
        text = json.dumps(document(args[0], args[2:]), indent=1, sort_keys=True) + "\n"
        with open(args[1], "w", encoding="utf-8") as file:
            file.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
