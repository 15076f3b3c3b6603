# SPDX-License-Identifier: GPL-3.0-or-later
"""Readers of vertex data in FaceFormer's folders: BIWI, VOCASET and Multiface."""

from __future__ import annotations

import json
import pickle
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from backend.training.errors import CorpusError
from backend.training.motion.clip import ClipError
from backend.training.readers import multiface, reader, vocaset
from backend.training.readers.annotated import AnnotatedClip, DataSet

BIWI, VOCASET, MULTIFACE = 70110, 15069, 18516


def published(folder: Path, dim: int, names: Iterable[str], templates: dict[str, np.ndarray] | None = None) -> Path:
    """A folder whose recordings are listed and, but for their names, empty."""
    for place, ending in (("vertices_npy", ".npy"), ("wav", ".wav")):
        (folder / place).mkdir(parents=True)
        for name in names:
            (folder / place / (name + ending)).touch()
    subjects = {name.rpartition("_")[0] for name in names}
    faces = templates or {subject: np.full((dim // 3, 3), len(subject), np.float32) for subject in subjects}
    (folder / "templates.pkl").write_bytes(pickle.dumps(faces, 2))
    return folder


def read(layout: str, folder: Path) -> DataSet:
    (found,) = reader(layout)(folder)
    return found


def splits(found: DataSet) -> Counter:
    return Counter(clip.split for clip in found.clips)


def clip_named(found: DataSet, name: str) -> AnnotatedClip:
    return next(clip for clip in found.clips if clip.name == name)


# --- BIWI ---

SPEAKERS = [f"F{number}" for number in range(1, 9)] + [f"M{number}" for number in range(1, 7)]


def test_biwi_has_the_published_splits(tmp_path: Path):
    names = [f"{who}_e{number:02}" for who in SPEAKERS for number in range(1, 41)]
    names = [name for name in names if name not in ("F2_e01", "M4_e09")]
    found = read("biwi", published(tmp_path, BIWI, names))
    assert splits(found) == {"train": 190, "val": 24, "test-a": 24, "test-b": 32, "unused": 288}
    assert {clip.identity for clip in found.clips if clip.split == "train"} == {"F2", "F3", "F4", "M3", "M4", "M5"}
    assert clip_named(found, "F4_e36").split == "val"
    assert clip_named(found, "F4_e37").split == "test-a"
    assert clip_named(found, "F5_e36").split == "unused"
    assert found.identities[:6] == ("F2", "F3", "F4", "M3", "M4", "M5")
    assert len(found.identities) == 14


def test_biwi_is_unitalkers_face_space_at_25_fps(tmp_path: Path):
    found = read("biwi", published(tmp_path, BIWI, ["F2_e01"]))
    assert (found.space.name, found.space.kind, found.space.dim) == ("BIWI_23370_vertices", "vertices", BIWI)
    assert (found.space.fps, found.space.scale) == (25.0, 0.2)
    assert found.clips[0].fps == 25.0
    assert found.clips[0].audio == tmp_path / "wav" / "F2_e01.wav"


def test_motion_is_read_only_when_it_is_asked_for(tmp_path: Path):
    found = read("biwi", published(tmp_path, BIWI, ["F2_e01"]))
    motion = np.random.default_rng(0).random((2, BIWI // 3, 3))
    np.save(tmp_path / "vertices_npy" / "F2_e01.npy", motion)
    loaded = found.clips[0].load()
    assert loaded.dtype == np.float32
    np.testing.assert_array_equal(loaded, motion.reshape(2, BIWI).astype(np.float32))


# --- VOCASET ---


def test_vocaset_has_faceformers_split_by_speakers(tmp_path: Path):
    subjects = vocaset.TRAINED + vocaset.VALIDATED + vocaset.TESTED
    names = [f"{who}_sentence{number:02}" for who in subjects for number in range(1, 41)]
    found = read("vocaset", published(tmp_path, VOCASET, names))
    assert splits(found) == {"train": 320, "val": 40, "test": 40, "unused": 80}
    assert clip_named(found, "FaceTalk_170811_03275_TA_sentence20").split == "unused"
    assert clip_named(found, "FaceTalk_170811_03275_TA_sentence21").split == "val"
    assert found.identities == subjects
    assert (found.clips[0].fps, found.space.fps, found.space.scale) == (60.0, 30.0, 1.0)
    assert found.space.name == "FLAME_5023_vertices"


def test_vocaset_can_have_unitalkers_split_of_each_speaker(tmp_path: Path):
    names = [f"{who}_sentence{number:02}" for who in vocaset.TRAINED[:3] for number in range(1, 41)]
    found = read("vocaset-unitalker", published(tmp_path, VOCASET, names))
    for who in vocaset.TRAINED[:3]:
        assert Counter(clip.split for clip in found.clips if clip.identity == who) == {"train": 32, "val": 4, "test": 4}
    again = read("vocaset-unitalker", tmp_path)
    assert [clip.split for clip in again.clips] == [clip.split for clip in found.clips]


def test_unitalkers_own_lists_decide_where_they_lie_in_the_folder(tmp_path: Path):
    who = vocaset.TRAINED[0]
    names = [f"{who}_sentence{number:02}" for number in (1, 2, 3, 4)]
    published(tmp_path, VOCASET, names)
    for split, name in zip(("train", "val", "test"), names, strict=False):
        items = [{"annot_path": f"{split}/{name}.npy"}]
        (tmp_path / f"{split}.json").write_text(json.dumps({"info": {}, "data": items}), encoding="utf-8")
    found = read("vocaset-unitalker", tmp_path)
    assert [clip.split for clip in found.clips] == ["train", "val", "test", "unused"]


# --- Multiface ---


def test_multiface_has_facediffusers_split_with_and_without_zeros(tmp_path: Path):
    names = [f"{who:02}_{number:02}" for who in range(1, 14) for number in range(1, 51)]
    faces = {str(who): np.full((6172, 3), 0.5) for who in range(1, 14)}
    found = read("multiface", published(tmp_path, MULTIFACE, names, faces))
    assert splits(found) == {"train": 360, "val": 45, "test": 20, "unused": 225}
    assert clip_named(found, "02_40").split == "train"
    assert clip_named(found, "02_46").split == "unused"
    assert clip_named(found, "01_46").split == "test"
    assert found.identities == multiface.TRAINED + multiface.TESTED
    assert (found.space.name, found.space.scale, found.space.fps) == ("meshtalk_6172_vertices", 0.001, 30.0)


def test_multiface_becomes_millimetres_again(tmp_path: Path):
    corners = np.zeros((6172, 3))
    corners[0], corners[1] = -1, 1
    found = read("multiface", published(tmp_path, MULTIFACE, ["02_01"], {"2": corners}))
    assert found.templates is not None
    np.testing.assert_allclose(found.templates[0, :6], [-117.798, -213.735, -177.091, 125.922, 185.796, 75.365], 1e-5)
    np.save(tmp_path / "vertices_npy" / "02_01.npy", corners.reshape(1, -1))
    np.testing.assert_array_equal(found.clips[0].load()[0], found.templates[0])


def test_multiface_in_millimetres_stays_as_it_is(tmp_path: Path):
    face = np.full((6172, 3), 100.0)
    found = read("multiface", published(tmp_path, MULTIFACE, ["02_01"], {"2": face}))
    assert found.templates is not None
    np.testing.assert_array_equal(found.templates[0], face.reshape(-1))


# --- what is broken ---


def test_a_name_that_is_nobodys_is_one_sentence(tmp_path: Path):
    found = read("biwi", published(tmp_path, BIWI, ["F2_e01", "F9_e02", "readme"], {"F2": np.zeros((BIWI // 3, 3))}))
    assert [clip.name for clip in found.clips] == ["F2_e01"]
    unknown, nameless = found.problems
    assert "F9_e02.npy has no neutral face of F9 in templates.pkl" in unknown
    assert "readme.npy is not named SUBJECT_SENTENCE" in nameless


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (np.zeros((4, 30)), "F2_e01.npy has 30 numbers per frame instead of 70110"),
        (np.full((2, BIWI), np.nan, np.float32), "F2_e01.npy holds numbers that are NaN or infinite"),
        (np.full((1, BIWI), 1e300), "F2_e01.npy holds numbers that are NaN or infinite"),
        (np.zeros((0, BIWI)), "F2_e01.npy holds no frames of numbers"),
        (np.zeros(BIWI), "F2_e01.npy holds no frames of numbers"),
        (np.full((2, 3), "a"), "F2_e01.npy holds no frames of numbers"),
    ],
)
def test_broken_motion_is_one_sentence(tmp_path: Path, values: np.ndarray, sentence: str):
    found = read("biwi", published(tmp_path, BIWI, ["F2_e01"]))
    np.save(tmp_path / "vertices_npy" / "F2_e01.npy", values)
    with pytest.raises(ClipError, match=sentence):
        found.clips[0].load()


def test_damaged_and_missing_files_are_one_sentence(tmp_path: Path):
    found = read("biwi", published(tmp_path, BIWI, ["F2_e01"]))
    with pytest.raises(ClipError, match=r"F2_e01\.npy is no whole \.npy file"):
        found.clips[0].load()
    found.clips[0].annotation.unlink()
    with pytest.raises(ClipError, match=r"There is no annotation .*F2_e01\.npy"):
        found.clips[0].load()


def test_objects_in_npy_files_are_not_unpickled(tmp_path: Path):
    found = read("biwi", published(tmp_path, BIWI, ["F2_e01"]))
    np.save(tmp_path / "vertices_npy" / "F2_e01.npy", np.array([{}]), allow_pickle=True)
    with pytest.raises(ClipError, match="no whole"):
        found.clips[0].load()


def test_a_folder_of_another_layout_is_refused(tmp_path: Path):
    with pytest.raises(CorpusError, match=r"There is no .*templates\.pkl"):
        read("biwi", tmp_path)
    (tmp_path / "templates.pkl").write_bytes(pickle.dumps({"F2": np.zeros((5023, 3))}))
    with pytest.raises(
        CorpusError, match=r"templates\.pkl has 15069 numbers as the neutral face of F2 instead of 70110"
    ):
        read("biwi", tmp_path)
    (tmp_path / "templates.pkl").write_bytes(pickle.dumps({"F2": np.zeros((BIWI // 3, 3))}))
    with pytest.raises(CorpusError, match=r"There is no folder .*vertices_npy"):
        read("biwi", tmp_path)
    (tmp_path / "vertices_npy").mkdir()
    with pytest.raises(CorpusError, match=r"vertices_npy holds no \.npy files"):
        read("biwi", tmp_path)


def test_templates_that_hold_code_are_refused_and_not_run(tmp_path: Path):
    mark = tmp_path / "ran"
    published(tmp_path / "biwi", BIWI, ["F2_e01"])
    (tmp_path / "biwi" / "templates.pkl").write_bytes(f"cos\nsystem\n(S'touch {mark}'\ntR.".encode())
    with pytest.raises(CorpusError, match=r"templates\.pkl holds code \('os.system'\)"):
        read("biwi", tmp_path / "biwi")
    assert not mark.exists()


def test_an_unknown_layout_is_refused_with_those_that_are_known():
    with pytest.raises(CorpusError, match="no layout 'bewe'; choose one of unitalker, biwi, vocaset"):
        reader("bewe")
