# SPDX-License-Identifier: GPL-3.0-or-later
"""The reader of UniTalker's data release V1."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from backend.training.errors import CorpusError
from backend.training.motion.clip import ClipError
from backend.training.readers import reader

D6 = {"annot_type": "inhouse_blendshape_weight", "fps": 60, "dataset": "D6"}


def item(path: str, number: int, about: dict = D6, **changes: object) -> dict:
    return {**about, "annot_path": f"{path}.npy", "audio_path": f"{path}.wav", "id": number, **changes}


def release(folder: Path, templates: np.ndarray, **splits: list[dict]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "id_template.npy", templates)
    for split, items in splits.items():
        labels = {"info": {"id_list": [f"speaker{number}" for number in range(len(templates))]}, "data": items}
        (folder / f"{split}.json").write_text(json.dumps(labels), encoding="utf-8")
    return folder


def test_items_carry_what_the_lists_say(tmp_path: Path):
    folder = release(
        *(tmp_path / "D6_unitalker_Chinese_speech", np.zeros((8, 51))),
        train=[item("train/a", 0), item("train/b", 7)],
        val=[item("val/a", 0)],
        test=[item("test/c", 3, audio_path="audio/c.npy")],
    )
    (found,) = reader("unitalker")(folder)
    assert [(clip.name, clip.split, clip.identity, clip.fps) for clip in found.clips] == [
        ("train/a", "train", "0", 60.0),
        ("train/b", "train", "7", 60.0),
        ("val/a", "val", "0", 60.0),
        ("test/c", "test", "3", 60.0),
    ]
    assert found.clips[3].audio == folder / "audio" / "c.npy"
    assert found.name == "D6"
    assert found.identities == tuple("01234567")
    assert (found.space.name, found.space.fps, found.space.dim) == ("inhouse_blendshape_weight", 30.0, 51)
    assert found.space.channels[0] == "eyeBlinkLeft"
    assert not found.problems
    assert found.basis is None


def test_vertices_are_scaled_as_published_and_bring_their_basis(tmp_path: Path):
    about = {"annot_type": "meshtalk_6172_vertices", "fps": 30, "dataset": "D2"}
    templates = np.random.default_rng(0).random((2, 6172, 3)) * 100
    folder = release(tmp_path, templates, train=[item("train/a", 1, about)])
    (folder / "pca.npz").touch()
    (found,) = reader("unitalker")(folder)
    assert (found.space.kind, found.space.scale, found.space.dim) == ("vertices", 0.001, 18516)
    assert found.templates is not None
    np.testing.assert_array_equal(found.templates, templates.reshape(2, -1).astype(np.float32))
    assert found.basis == folder / "pca.npz"
    (folder / "train").mkdir()
    np.save(folder / "train" / "a.npy", np.ones((2, 6172, 3)))
    assert found.clips[0].load().shape == (2, 18516)


def test_the_root_of_the_release_gives_every_data_set_in_it(tmp_path: Path):
    about = {"annot_type": "3DETF_blendshape_weight", "fps": 30, "dataset": "D3"}
    release(tmp_path / "D3D4_3DETF" / "D3_HDTF", np.zeros((1, 52)), train=[item("a", 0, about)])
    release(tmp_path / "D6_unitalker_Chinese_speech", np.zeros((8, 51)), train=[item("a", 0)])
    assert [found.name for found in reader("unitalker")(tmp_path)] == ["D3", "D6"]


def test_an_annotation_type_of_ones_own_is_welcome(tmp_path: Path):
    about = {"annot_type": "my_rig", "fps": 25, "dataset": "mine"}
    (found,) = reader("unitalker")(release(tmp_path, np.zeros((1, 8)), train=[item("a", 0, about)]))
    assert (found.space.name, found.space.dim, found.space.fps, found.space.scale) == ("my_rig", 8, 25.0, 1.0)


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        ({"id": 8}, r"train/b\.npy is of identity 8, and id_template\.npy has 8"),
        ({"dataset": "D7"}, r"train/b\.npy is D7 inhouse_blendshape_weight, and the first item is D6"),
        ({"annot_type": "meshtalk_6172_vertices"}, r"train/b\.npy is D6 meshtalk_6172_vertices"),
        ({"fps": "fast"}, r"An item of .*train\.json \(train/b\.npy\) lacks or misspells"),
        ({"annot_path": None}, r"An item of .*train\.json \(None\) lacks or misspells"),
    ],
)
def test_a_broken_item_is_one_sentence(tmp_path: Path, broken: dict, sentence: str):
    items = [item("train/a", 0), item("train/b", 1, **broken)]
    (found,) = reader("unitalker")(release(tmp_path, np.zeros((8, 51)), train=items))
    assert [clip.name for clip in found.clips] == ["train/a"]
    (problem,) = found.problems
    with pytest.raises(ClipError, match=sentence):
        raise ClipError(problem)


def test_names_cannot_lead_out_of_a_folder(tmp_path: Path):
    (found,) = reader("unitalker")(release(tmp_path, np.zeros((8, 51)), train=[item("../../a", 0), item("/tmp/b", 0)]))
    assert [clip.name for clip in found.clips] == ["a", "tmp/b"]


def test_a_folder_of_another_layout_is_refused(tmp_path: Path):
    read = reader("unitalker")
    with pytest.raises(CorpusError, match=r"holds no train\.json"):
        read(tmp_path)
    (tmp_path / "train.json").write_text("[]", encoding="utf-8")
    with pytest.raises(CorpusError, match=r"train\.json is no UniTalker label file"):
        read(tmp_path)
    (tmp_path / "train.json").write_text(json.dumps({"data": [{}]}), encoding="utf-8")
    with pytest.raises(CorpusError, match="lacks one of dataset, annot_type and fps"):
        read(tmp_path)
    (tmp_path / "train.json").write_text(json.dumps({"data": [item("a", 0)]}), encoding="utf-8")
    with pytest.raises(CorpusError, match=r"id_template\.npy, the neutral faces of the speakers, is missing"):
        read(tmp_path)
    np.save(tmp_path / "id_template.npy", np.zeros((8, 52)))
    with pytest.raises(CorpusError, match=r"id_template\.npy has 52 numbers per face, not 51"):
        read(tmp_path)
