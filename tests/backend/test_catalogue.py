# SPDX-License-Identifier: GPL-3.0-or-later
"""The models we know, by name and from their headers alone."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from backend import catalogue
from backend.catalogue import CatalogueError, find, find_or_open, listing
from backend.checkpoint import ModelCard, save
from backend.face import arkit
from backend.models.audio_encoder import MelEncoderConfig
from backend.models.unitalker import HeadConfig, UniTalker, UniTalkerConfig


def write_model(path: Path, title: str = "Tiny") -> None:
    path.parent.mkdir(exist_ok=True)
    model = UniTalker(UniTalkerConfig(MelEncoderConfig(width=8, blocks=1), "conv", 8, 3, (HeadConfig("arkit", 52),)))
    save(path, model, [arkit()], ("anna", "bert"), ModelCard(path.stem, title, "CC0-1.0"))


@pytest.fixture(autouse=True)
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in place of the one that ships, with one model."""
    folder = tmp_path / "weights"
    write_model(folder / "default.safetensors", "Shipped")
    monkeypatch.setattr(catalogue, "SHIPPED", folder)
    return folder


def test_shipped_models_come_first_then_the_users(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    for name in ("zoe", "anna"):
        write_model(mine / f"{name}.safetensors")
    entries = listing([mine]).entries
    assert [entry.name for entry in entries] == ["default", "anna", "zoe"]
    assert entries[0].card.title == "Shipped"
    assert entries[0].spaces == ("arkit",)
    assert entries[0].identities == ("anna", "bert")
    assert entries[0].bytes == entries[0].path.stat().st_size
    assert find("zoe", [mine]) == mine / "zoe.safetensors"


def test_the_shipped_model_keeps_its_name(tmp_path: Path, shipped: Path) -> None:
    mine = tmp_path / "mine"
    write_model(mine / "default.safetensors")
    assert find("default", [mine]) == shipped / "default.safetensors"
    assert [entry.card.title for entry in listing([mine]).entries] == ["Shipped"]


def test_listing_reads_no_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*arguments, **options):
        raise AssertionError("weights were read")

    monkeypatch.setattr(torch, "aminmax", forbidden)
    monkeypatch.setattr(UniTalker, "__init__", forbidden)
    assert len(listing().entries) == 1


def test_files_that_are_no_models_are_told_apart(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    write_model(mine / "good.safetensors")
    (mine / "bad.safetensors").write_bytes(b"not a model")
    (mine / "notes.txt").write_text("not a model either")
    (mine / ".half.safetensors").write_bytes(b"being written")
    found = listing([mine])
    assert [entry.name for entry in found.entries] == ["default", "good"]
    assert len(found.problems) == 1
    assert "bad.safetensors is no whole model file" in found.problems[0]


@pytest.mark.parametrize("name", ["nobody", "", "../weights/default", "default.safetensors", "/somewhere/model"])
def test_unknown_names_list_the_known_ones(name: str) -> None:
    with pytest.raises(CatalogueError, match="known models: default") as caught:
        find(name)
    assert f"“{name}”" in str(caught.value)


def test_without_any_model_the_user_hears_what_to_do(shipped: Path) -> None:
    (shipped / "default.safetensors").unlink()
    with pytest.raises(CatalogueError, match="known models: none; put a model file into a folder"):
        find("default")


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"There is no folder .*nowhere"):
        listing([tmp_path / "nowhere"])


def test_the_command_line_may_name_a_file(tmp_path: Path, shipped: Path) -> None:
    write_model(tmp_path / "elsewhere.safetensors")
    assert find_or_open(str(tmp_path / "elsewhere.safetensors")) == tmp_path / "elsewhere.safetensors"
    assert find_or_open("default") == shipped / "default.safetensors"
    with pytest.raises(CatalogueError, match=r"There is no model file .*gone"):
        find_or_open(str(tmp_path / "gone.safetensors"))
    with pytest.raises(CatalogueError, match="known models: default"):
        find_or_open("gone")
