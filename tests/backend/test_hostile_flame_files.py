# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are no FLAME model, by accident or by intent: one sentence each, little memory, and nothing is run."""

import copyreg
import pickle
import struct
import sys
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from backend.foreign import flame_file, plain_pickle
from backend.foreign.flame_file import FlameFileError

SYNTHETIC = Path(__file__).resolve().parents[1] / "data" / "flame" / "flame_synthetic.pkl"

HOSTILE = {
    "os.system": b"cos\nsystem\n(S'touch {mark}'\ntR.",
    "posix.system": b"cposix\nsystem\n(S'touch {mark}'\ntR.",
    "eval": b'c__builtin__\neval\n(S\'open("{mark}", "w")\'\ntR.',
    "exec in Python 3's spelling": b'\x80\x04\x8c\x08builtins\x8c\x04exec\x93(S\'open("{mark}", "w")\'\ntR.',
    "open": b"c__builtin__\nopen\n(S'{mark}'\nS'w'\ntR.",
    "the INST instruction": b"(S'touch {mark}'\nios\nsystem\n.",
    "the OBJ instruction": b"(cos\nsystem\nS'touch {mark}'\no.",
    "a subclass given to _reconstruct": (
        b"cnumpy.core.multiarray\n_reconstruct\n(csubprocess\nPopen\n((S'touch'\nS'{mark}'\nltS'b'\ntR."
    ),
    "an object that copyreg reconstructs": b"ccopy_reg\n_reconstructor\n(csubprocess\nPopen\nNNtR.",
    "copyreg's registry": b"ccopyreg\nadd_extension\n(S'os'\nS'system'\nI240\ntR.",
    "a getattr chain": (
        b"c__builtin__\ngetattr\n(c__builtin__\n__import__\n(S'os'\ntRS'system'\ntR(S'touch {mark}'\ntR."
    ),
    "a dotted name": b"\x80\x04\x8c\x05numpy\x8c\x0endarray.tofile\x93(S'{mark}'\ntR.",
    "numpy's own exec": b'cnumpy.testing._private.utils\nrunstring\n(S\'open("{mark}", "w")\'\n}tR.',
    "a codec that is not encode": b"c_codecs\nlookup\n(S'rot13'\ntR.",
    "operator": b"coperator\nmethodcaller\n(S'system'\nS'touch {mark}'\ntR(cposix\n__name__\ntR.",
}
LIVE = ("os.system", "eval", "exec in Python 3's spelling", "open", "the INST instruction", "the OBJ instruction")


def hostile(name: str, mark: Path) -> bytes:
    return HOSTILE[name].replace(b"{mark}", str(mark).encode())


@pytest.mark.skipif(sys.platform == "win32", reason="the payloads run touch, which Windows does not have")
@pytest.mark.parametrize("name", LIVE)
def test_the_payloads_below_are_live(tmp_path: Path, name: str):
    mark = tmp_path / "ran"
    pickle.loads(hostile(name, mark), encoding="latin1")
    assert mark.exists()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_pickle_that_names_code_is_refused_and_nothing_runs(tmp_path: Path, name: str):
    mark, path = tmp_path / "ran", tmp_path / "flame.pkl"
    path.write_bytes(hostile(name, mark))
    with pytest.raises(
        FlameFileError, match=r"flame\.pkl holds code \('.+'\) and is not a FLAME model; nothing was run"
    ):
        flame_file.read(path)
    assert not mark.exists()


def test_code_behind_a_whole_model_is_refused_too(tmp_path: Path):
    class Payload:
        def __reduce__(self):
            return exec, (f"open({str(mark)!r}, 'w')",)

    mark, path = tmp_path / "ran", tmp_path / "flame.pkl"
    path.write_bytes(pickle.dumps({"v_template": np.zeros((2, 3)), "extra": Payload()}))
    with pytest.raises(FlameFileError, match="holds code"):
        flame_file.read(path)
    assert not mark.exists()


def test_a_registered_extension_is_not_looked_up(tmp_path: Path):
    path, called = tmp_path / "flame.pkl", []
    path.write_bytes(b"\x80\x02\x82\xf0(tR.")
    copyreg._extension_cache[240] = lambda: called.append(True)  # what a pickle read elsewhere may have left behind
    try:
        with pytest.raises(FlameFileError, match="damaged or not a FLAME model"):
            flame_file.read(path)
    finally:
        del copyreg._extension_cache[240]
    assert not called


@pytest.mark.parametrize(
    "program",
    [
        b"cnumpy\nndarray\n}S'__setstate__'\nS'x'\nsb.",
        b"cnumpy\nndarray\nN}S'__init__'\nS'x'\ns\x86b.",
        b"c_codecs\nencode\nN}S'__new__'\nS'x'\ns\x86b.",
        b"ccopyreg\n_reconstructor\n}S'arguments'\nS'x'\nsb.",
        b"cchumpy.ch\nCh\nN}S'__init__'\nS'x'\ns\x86b.",
        b"cnumpy\nndarray\nS'x'\na.",
    ],
)
def test_no_pickle_changes_how_the_next_one_is_read(tmp_path: Path, program: bytes):
    path = tmp_path / "flame.pkl"
    path.write_bytes(program)
    before = {kind: dict(vars(kind)) for kind in plain_pickle.PERMITTED.values()}
    with pytest.raises(FlameFileError, match="damaged or not a FLAME model"):
        flame_file.read(path)
    assert before == {kind: dict(vars(kind)) for kind in plain_pickle.PERMITTED.values()}


def array_record(shape: bytes) -> bytes:
    """A pickled numpy array that claims a shape and holds eight bytes."""
    dtype = b"cnumpy\ndtype\n(S'f8'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntb"
    empty = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
    return empty + b"(I1\n" + shape + dtype + b"I00\nS'12345678'\ntb"


SPARSE_BOMB = (
    b"\x80\x02cscipy.sparse.csr\ncsr_matrix\n)\x81}(S'_shape'\n(I5\nL100000000000000L\nt"
    + b"".join(b"S'" + key + b"'\n" + array_record(b"(I1\nt") for key in (b"indptr", b"indices", b"data"))
    + b"ub"
)
LARGE = struct.pack("<Q", 1 << 28)
BOMBS = {
    "a memo index of millions": b"\x80\x02}r\x00\x00\x00\x01.",
    "an empty byte array": b"\x80\x05\x96" + LARGE + b".",
    "a missing text": b"\x80\x04\x8d" + LARGE + b".",
    "missing bytes": b"\x80\x04\x8e" + LARGE + b".",
    "a missing frame": b"\x80\x04\x95" + LARGE + b".",
    "millions of lists": b"]" * 3_000_000 + b".",
    "an array of a terabyte": b"}S'v_template'\n" + array_record(b"(L100000000000L\nt") + b"s.",
    "a sparse matrix of petabytes": b"}S'J_regressor'\n" + SPARSE_BOMB + b"s.",
    "a number of a million digits": b"L" + b"9" * 1_000_000 + b"L\n.",
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_ends_in_one_sentence_and_little_memory(tmp_path: Path, name: str):
    path = tmp_path / "flame.pkl"
    path.write_bytes(BOMBS[name])
    tracemalloc.start()
    with pytest.raises(FlameFileError, match=r"flame\.pkl is (damaged or )?not a FLAME model"):
        flame_file.read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 << 20


def test_an_archive_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    path = tmp_path / "flame.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("v_template.npy", bytes(1 << 20))
    monkeypatch.setattr(flame_file, "MOST_BYTES", 1 << 19)
    assert path.stat().st_size < flame_file.MOST_BYTES
    with pytest.raises(FlameFileError, match="damaged or not a FLAME model"):
        flame_file.read(path)


def test_a_file_too_large_for_a_flame_model_is_not_even_read(tmp_path: Path):
    path = tmp_path / "audio.pkl"
    with path.open("wb") as file:
        file.truncate(flame_file.MOST_BYTES + 1)
    with pytest.raises(FlameFileError, match=r"audio\.pkl is larger than any FLAME model"):
        flame_file.read(path)


# --- files of another kind ---


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello, this is not a model\n",
        b"# obj\nv 0 0 0\n",
        bytes(4096),
        b"PK\x03\x04 not a zip",
        pickle.dumps([1, 2, 3]),
        b"\x80\x02Psome persistent id\n.",
    ],
)
def test_another_kind_of_file_is_refused_in_one_sentence(tmp_path: Path, content: bytes):
    path = tmp_path / "flame.pkl"
    path.write_bytes(content)
    with pytest.raises(FlameFileError, match=r"flame\.pkl is damaged or not a FLAME model"):
        flame_file.read(path)


@pytest.mark.parametrize("share", [0.001, 0.01, 0.3, 0.5, 0.9, 0.9999])
@pytest.mark.parametrize("suffix", [".pkl", ".npz"])
def test_a_truncated_file_is_refused(tmp_path: Path, suffix: str, share: float):
    whole, cut = tmp_path / "flame.npz", tmp_path / f"cut{suffix}"
    flame_file.convert(SYNTHETIC, whole)
    content = (SYNTHETIC if suffix == ".pkl" else whole).read_bytes()
    cut.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(FlameFileError, match="damaged or not a FLAME model"):
        flame_file.read(cut)


def test_a_pickle_of_objects_in_an_npz_is_refused(tmp_path: Path):
    path = tmp_path / "flame.npz"
    np.savez(path, v_template=np.array([{}], dtype=object))
    with pytest.raises(FlameFileError, match="damaged or not a FLAME model"):
        flame_file.read(path)


@pytest.mark.parametrize("name", ["missing.pkl", "."])
def test_a_path_that_is_no_file_is_named(tmp_path: Path, name: str):
    with pytest.raises(FlameFileError, match="There is no FLAME file"):
        flame_file.read(tmp_path / name)
