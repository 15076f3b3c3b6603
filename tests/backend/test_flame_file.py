# SPDX-License-Identifier: GPL-3.0-or-later
"""FLAME files: official pickles of every age, our own .npz of them, and models that are nearly right."""

import dataclasses
import io
import itertools
import pickle
import struct
import sys
import types
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from backend.foreign import flame_file
from backend.foreign.flame_file import FlameFileError

SYNTHETIC = Path(__file__).resolve().parents[1] / "data" / "flame" / "flame_synthetic.pkl"
VERTICES = 12
Model = dict[str, np.ndarray]


@pytest.fixture
def model() -> Model:
    """A FLAME model of a dozen vertices as plain arrays under the official keys."""
    random = np.random.default_rng(0)
    return {
        "v_template": random.normal(size=(VERTICES, 3)),
        "f": random.integers(0, VERTICES, (20, 3)).astype(np.uint32),
        "shapedirs": random.normal(size=(VERTICES, 3, 400)),
        "posedirs": random.normal(size=(VERTICES, 3, 36)),
        "J_regressor": random.random((5, VERTICES)) * (random.random((5, VERTICES)) < 0.4),
        "kintree_table": np.array([[2**32 - 1, 0, 1, 1, 1], range(5)], np.uint32),
        "weights": np.asfortranarray(random.random((VERTICES, 5))),
    }


def assert_same(flame: flame_file.FlameArrays, model: Model):
    np.testing.assert_array_equal(flame.faces, model["f"])
    keys = ("v_template", "shapedirs", "posedirs", "J_regressor", "weights")
    fields = ("template", "shape_directions", "pose_directions", "joint_regressor", "skinning_weights")
    for key, field in zip(keys, fields, strict=True):
        assert getattr(flame, field).dtype == np.float32
        np.testing.assert_array_equal(getattr(flame, field), model[key].astype(np.float32), err_msg=key)


# --- what the official files look like ---


def fake_class(monkeypatch: pytest.MonkeyPatch, address: str) -> type:
    """A class that pickles under the name of a library that is not installed."""
    module, name = address.rsplit(".", 1)
    for path in itertools.accumulate(module.split("."), "{}.{}".format):
        monkeypatch.setitem(sys.modules, path, sys.modules.get(path) or types.ModuleType(path))
    kind = vars(sys.modules[module]).get(name) or type(name, (), {"__module__": module})
    monkeypatch.setattr(sys.modules[module], name, kind, raising=False)
    return kind


def chumpy_array(monkeypatch: pytest.MonkeyPatch, array: np.ndarray) -> object:
    held = fake_class(monkeypatch, "chumpy.ch.Ch")()
    held.__dict__ = {"x": array, "_dirty_vars": {"x"}, "_itr": None, "_make_dense": False, "_depends_on_deps": {}}
    return held


def chumpy_product(monkeypatch: pytest.MonkeyPatch, array: np.ndarray) -> object:
    """What official files hold under keys that nobody needs: an expression, not an array."""
    product = fake_class(monkeypatch, "chumpy.ch_ops.multiply")()
    product.__dict__ = {"a": chumpy_array(monkeypatch, array), "b": 2.0, "_dirty_vars": set()}
    return product


def sparse(monkeypatch: pytest.MonkeyPatch, address: str, dense: np.ndarray) -> object:
    """scipy's csc_matrix or csr_matrix, at the address of an old or a new scipy."""
    lines = dense.T if address.endswith("csc_matrix") else dense
    matrix = fake_class(monkeypatch, address)()
    matrix.__dict__ = {
        "_shape": dense.shape,
        "maxprint": 50,
        "indptr": np.concatenate([[0], np.cumsum((lines != 0).sum(axis=1))]).astype(np.int32),
        "indices": np.nonzero(lines)[1].astype(np.int32),
        "data": lines[lines != 0],
    }
    return matrix


class Python2Pickler(pickle._Pickler):
    """Writes text and bytes both as byte strings, as Python 2 did."""

    dispatch: ClassVar = dict(pickle._Pickler.dispatch)

    def save_string(self, value: str | bytes):
        raw = value.encode("latin1") if isinstance(value, str) else value
        if self.proto:
            self.write(pickle.BINSTRING + struct.pack("<i", len(raw)) + raw)
        else:
            self.write(pickle.STRING + repr(raw)[1:].encode("ascii") + b"\n")
        self.memoize(value)

    dispatch[str] = dispatch[bytes] = save_string


def python2_pickle(value: object, protocol: int) -> bytes:
    written = io.BytesIO()
    Python2Pickler(written, protocol).dump(value)
    return written.getvalue().replace(b"numpy._core.", b"numpy.core.")


def as_published(monkeypatch: pytest.MonkeyPatch, model: Model, address: str) -> dict[str, object]:
    return {
        **model,
        "v_template": chumpy_array(monkeypatch, model["v_template"]),
        "shapedirs": chumpy_array(monkeypatch, model["shapedirs"]),
        "J": chumpy_product(monkeypatch, np.zeros((5, 3))),
        "J_regressor": sparse(monkeypatch, address, model["J_regressor"]),
        "bs_style": "lbs",
        "bs_type": "lrotmin",
    }


@pytest.mark.parametrize("protocol", [0, 1, 2])
def test_a_python_2_pickle_with_chumpy_and_scipy(
    monkeypatch: pytest.MonkeyPatch, model: Model, tmp_path: Path, protocol: int
):
    path = tmp_path / "generic_model.pkl"
    published = as_published(monkeypatch, model, "scipy.sparse.csc.csc_matrix")
    path.write_bytes(python2_pickle(published, protocol))
    assert_same(flame_file.read(path), model)


@pytest.mark.parametrize("address", ["scipy.sparse._csc.csc_matrix", "scipy.sparse._csr.csr_matrix"])
@pytest.mark.parametrize("protocol", [0, 2, 3, 4, 5])
def test_a_python_3_pickle_with_chumpy_and_scipy(
    monkeypatch: pytest.MonkeyPatch, model: Model, tmp_path: Path, address: str, protocol: int
):
    path = tmp_path / "flame2023.pkl"
    path.write_bytes(pickle.dumps(as_published(monkeypatch, model, address), protocol))
    assert_same(flame_file.read(path), model)


def test_a_pickle_that_a_real_scipy_wrote():
    flame = flame_file.read(SYNTHETIC)
    assert flame.template.shape == (20, 3)
    assert flame.joint_regressor.shape == (5, 20)
    np.testing.assert_allclose(flame.joint_regressor.sum(axis=1), 1, atol=1e-6)


def test_neither_chumpy_nor_scipy_is_imported(monkeypatch: pytest.MonkeyPatch, model: Model, tmp_path: Path):
    path = tmp_path / "generic_model.pkl"
    with monkeypatch.context() as while_writing:
        path.write_bytes(python2_pickle(as_published(while_writing, model, "scipy.sparse.csc.csc_matrix"), 2))
    for library in ("chumpy", "scipy"):
        monkeypatch.setitem(sys.modules, library, None)
    assert_same(flame_file.read(path), model)


def test_big_endian_numbers(model: Model, tmp_path: Path):
    path = tmp_path / "flame.pkl"
    path.write_bytes(pickle.dumps({**model, "weights": model["weights"].astype(">f8")}, 2))
    assert_same(flame_file.read(path), model)


def test_repeated_places_of_a_sparse_matrix_add_up(monkeypatch: pytest.MonkeyPatch, model: Model, tmp_path: Path):
    matrix = sparse(monkeypatch, "scipy.sparse._csr.csr_matrix", model["J_regressor"])
    matrix.__dict__.update(indptr=np.array([0, 2, 2, 2, 2, 2]), indices=np.array([3, 3]), data=np.array([1.0, 2.0]))
    path = tmp_path / "flame.pkl"
    path.write_bytes(pickle.dumps({**model, "J_regressor": matrix}))
    assert flame_file.read(path).joint_regressor[0, 3] == 3


# --- our own format ---


def test_converted_once_it_reads_the_same_without_pickle(tmp_path: Path):
    output = tmp_path / "flame.npz"
    flame_file.convert(SYNTHETIC, output)
    original, converted = flame_file.read(SYNTHETIC), flame_file.read(output)
    for field in dataclasses.fields(original):
        np.testing.assert_array_equal(getattr(converted, field.name), getattr(original, field.name))
    with np.load(output, allow_pickle=False) as stored:
        assert set(stored) == set(flame_file.KEYS)
    assert [path.name for path in tmp_path.iterdir()] == ["flame.npz"]


def test_converting_cannot_overwrite_the_artists_pickle(tmp_path: Path):
    original = tmp_path / "generic_model.pkl"
    original.write_bytes(SYNTHETIC.read_bytes())
    with pytest.raises(FlameFileError, match=r"generic_model\.pkl cannot be its name"):
        flame_file.convert(original, original)
    assert original.read_bytes() == SYNTHETIC.read_bytes()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(FlameFileError, match=r"missing.flame\.npz cannot be written: No such file"):
        flame_file.convert(SYNTHETIC, tmp_path / "missing" / "flame.npz")


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path):
    taken = tmp_path / "flame.npz"
    taken.mkdir()
    with pytest.raises(FlameFileError, match=r"flame\.npz cannot be written"):
        flame_file.convert(SYNTHETIC, taken)
    assert list(tmp_path.iterdir()) == [taken]


# --- models that are nearly right ---


@pytest.mark.parametrize("key", flame_file.KEYS)
def test_a_missing_key_is_named(model: Model, tmp_path: Path, key: str):
    path = tmp_path / "flame.pkl"
    path.write_bytes(pickle.dumps({name: array for name, array in model.items() if name != key}))
    with pytest.raises(FlameFileError, match=rf"flame\.pkl is not a FLAME model: it has no {key};"):
        flame_file.read(path)


@pytest.mark.parametrize("key", flame_file.KEYS)
@pytest.mark.parametrize("wrong", ["lbs", None, 3.0, np.array(["a"]), np.zeros((0, 3)), np.array([{}])])
def test_a_key_without_numbers_is_named(model: Model, tmp_path: Path, key: str, wrong: object):
    path = tmp_path / "flame.pkl"
    path.write_bytes(pickle.dumps({**model, key: wrong}))
    with pytest.raises(FlameFileError, match=rf"flame\.pkl is not a FLAME model: its {key} is not an array of numbers"):
        flame_file.read(path)


@pytest.mark.parametrize("key", flame_file.KEYS)
def test_a_misshapen_key_is_named(model: Model, tmp_path: Path, key: str):
    path = tmp_path / "flame.npz"
    np.savez(path, **{**model, key: model[key][..., :-1]})
    with pytest.raises(FlameFileError, match=rf"flame\.npz is not a FLAME model: its {key} is [x \d]+ numbers instead"):
        flame_file.read(path)


@pytest.mark.parametrize("key", ["v_template", "shapedirs", "weights"])
@pytest.mark.parametrize("wrong", [np.nan, np.inf, 1e300])
def test_numbers_that_are_none_are_named(model: Model, tmp_path: Path, key: str, wrong: float):
    model[key].flat[7] = wrong
    path = tmp_path / "flame.pkl"
    path.write_bytes(pickle.dumps(model))
    with pytest.raises(
        FlameFileError, match=rf"flame\.pkl is damaged: its {key} holds numbers that are infinite or NaN"
    ):
        flame_file.read(path)


def test_a_skeleton_that_is_not_flames_is_refused(model: Model, tmp_path: Path):
    model["kintree_table"][0, 3] = 2
    path = tmp_path / "flame.npz"
    np.savez(path, **model)
    with pytest.raises(FlameFileError, match="its kintree_table is not root, neck, jaw and two eyes"):
        flame_file.read(path)


def test_faces_beyond_the_vertices_are_refused(model: Model, tmp_path: Path):
    model["f"][4, 1] = VERTICES
    path = tmp_path / "flame.npz"
    np.savez(path, **model)
    with pytest.raises(FlameFileError, match=f"its f names vertices beyond its {VERTICES}"):
        flame_file.read(path)
