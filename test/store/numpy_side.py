"""numpy's side of numpy.test.ts.

    python3 numpy_side.py read FILE      prints the tensors of a safetensors file, as JSON
    python3 numpy_side.py write FOLDER   writes .npy files whose names say what is in them
    python3 numpy_side.py version        prints numpy's version
"""
import json
import os
import sys

import numpy as np

# numpy has no bfloat16: its bits are the upper half of those of float32
types = {"F32": "<f4", "F16": "<f2", "BF16": "<u2", "I32": "<i4", "U8": "u1"}


def read(path):
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
    tensors = {}
    for name, tensor in header.items():
        begin = 8 + length + tensor["data_offsets"][0]
        values = np.memmap(path, types[tensor["dtype"]], "r", begin, tuple(tensor["shape"]))
        if tensor["dtype"] == "BF16":
            values = (values.astype("<u4") << 16).view("<f4")
        tensors[name] = {"begin": begin, "values": values.astype("f8").tolist()}
    print(json.dumps(tensors))


def write(folder):
    def save(name, array, version=None):
        with open(os.path.join(folder, name + ".npy"), "wb") as file:
            np.lib.format.write_array(file, array, version)

    rows = np.arange(6, dtype="<f4").reshape(2, 3) / 8
    for version in (1, 2, 3):
        save(f"good version {version}", rows, (version, 0))
    save("good half", rows.astype("<f2"))
    save("good view", np.ascontiguousarray(rows[:, ::2]))
    save("good one column", rows[:, :1].copy())
    np.save(os.path.join(folder, "good save.npy"), rows)
    mapped = np.lib.format.open_memmap(os.path.join(folder, "good memmap.npy"), "w+", "<f4", (2, 3))
    mapped[:] = rows
    mapped.flush()
    save("bad order", np.asfortranarray(rows))
    save("bad big-endian", rows.astype(">f4"))
    save("bad double", rows.astype("<f8"))
    save("bad integers", rows.astype("<i4"))
    save("bad fields", np.zeros((2, 3), dtype=[("a", "<f4")]))
    save("bad fields of Unicode", np.zeros((2, 3), dtype=[("\u03b1", "<f4")]))
    save("bad bytes", np.zeros((2, 3), dtype="V2"))
    save("bad one dimension", rows.ravel())
    save("bad three dimensions", rows.reshape(1, 2, 3))
    save("bad no dimension", np.float32(1))
    save("bad no rows", rows[:0])
    np.savez(os.path.join(folder, "bad archive.npz"), rows)


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    {"read": read, "write": write, "version": lambda: print(np.__version__)}[command](*arguments)
