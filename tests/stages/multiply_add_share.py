"""Fails where fewer of the vector operations in the hot loops of an object file for 64-bit Arm are multiply-adds.

usage: multiply_add_share.py OBJDUMP OBJECT PERCENT

A hot loop is an innermost one with twenty multiply-adds for at most two registers of pixels: what a tile of the kernels does
for ten classes, of one chunk of pixels or of one row. (Each conversion of bytes looks them up in a table, `tbl`; it is for
fewer multiply-adds where there are fewer classes.) Loads and stores are not counted: they have units of their own; but there are
at most a tenth as many of vectors on the stack.
"""
import re
import subprocess
import sys

INSTRUCTION = re.compile(r"\s+([0-9a-f]+):\t[0-9a-f]{8} \t(\S+)\s*(.*)")


def functions(objdump, path):
    """Each function's instructions: (address, name, operands)."""
    listing = subprocess.run([objdump, "-d", path], check=True, capture_output=True, text=True).stdout
    found = []
    for line in listing.splitlines():
        if line.endswith(">:"):
            found.append([])
        elif match := INSTRUCTION.match(line):
            found[-1].append((int(match[1], 16), match[2], match[3]))
    return found


def innermost_loops(instructions):
    """Ranges from the target of a jump back to it, without another such jump inside."""
    place = {address: i for i, (address, _, _) in enumerate(instructions)}
    loops = []
    for i, (_, name, operands) in enumerate(instructions):
        target = re.search(r"\b([0-9a-f]+) <", operands)
        if (name.startswith("b.") or name in ("b", "cbnz", "cbz", "tbnz", "tbz")) and target:
            begin = place.get(int(target[1], 16), i + 1)
            if begin <= i and not any(begin <= b and e <= i for b, e in loops):
                loops.append((begin, i))
    return loops


def main():
    objdump, path, least = sys.argv[1], sys.argv[2], float(sys.argv[3])
    shares = []
    for instructions in functions(objdump, path):
        for begin, end in innermost_loops(instructions):
            vector = [name for _, name, operands in instructions[begin:end + 1]
                      if re.search(r"\b[vqds]\d+\b", operands) and not re.match(r"(ld|st)[0-9npru]", name)]
            fused = sum(name in ("fmla", "fmls") for name in vector)
            if fused >= 20 and vector.count("tbl") <= 2:
                spilt = [f"{name} {operands}" for _, name, operands in instructions[begin:end + 1]
                         if re.match(r"(ld|st)[0-9npru]", name) and re.match(r"[vqds]\d", operands) and "[sp" in operands]
                if len(spilt) > fused / 10:
                    sys.exit(f"{path}: {instructions[begin][0]:#x}: vectors on the stack: {', '.join(spilt)}")
                shares.append(100 * fused / len(vector))
                print(f"{instructions[begin][0]:#x}: {fused} of {len(vector)} vector operations are multiply-adds")
    if len(shares) < 8:
        sys.exit(f"{path}: {len(shares)} hot loops, expected at least 8: of forward and gradient, of bytes and floats, by one "
                 "row of them and by several")
    print(f"{len(shares)} hot loops, {min(shares):.0f} % multiply-adds or more")
    if min(shares) < least:
        sys.exit(f"{path}: {min(shares):.0f} % of a hot loop's vector operations are multiply-adds, expected {least:.0f} %")


main()
