# SPDX-License-Identifier: Apache-2.0
"""Sessions stay warm, few and not for ever; nothing of a client stays behind."""

from pathlib import Path

import pytest

from node.engines import BadPackage, EngineSettings, EngineStopped, RenderSettings
from node.sessions import SessionPool
from tests.node.noise_engine import NoiseEngine, NoiseSession
from tests.storage.test_files import dig, ordinary_stack

JOBS = [bytes([number]) * 32 for number in range(4)]


class Pool(SessionPool):
    """With a clock turned by hand."""

    def __init__(self, folder: Path) -> None:
        self.time = 0.0
        super().__init__(NoiseEngine(EngineSettings()), folder, idle=10, limit=2, monotonic=lambda: self.time)

    def open(self, job: bytes) -> NoiseSession:
        self.package(job).write_bytes(b"SCENE")
        session = self.session(job)
        assert isinstance(session, NoiseSession)
        return session


@pytest.fixture
def pool(tmp_path: Path) -> Pool:
    return Pool(tmp_path / "work")


def test_session__same_job__same_session(pool: Pool) -> None:
    assert pool.open(JOBS[0]) is pool.open(JOBS[0])
    assert pool.open(JOBS[0]) is not pool.open(JOBS[1])


def test_session__one_too_many__the_longest_unused_goes(pool: Pool, tmp_path: Path) -> None:
    sessions = []
    for job in JOBS[:3]:
        pool.time += 1
        sessions.append(pool.open(job))
    assert [session.closed for session in sessions] == [True, False, False]
    assert len(list((tmp_path / "work").iterdir())) == 2


def test_close_idle__closes_and_removes(pool: Pool, tmp_path: Path) -> None:
    first = pool.open(JOBS[0])
    pool.time = 9
    pool.close_idle()
    assert not first.closed
    second = pool.open(JOBS[1])
    pool.time = 15
    pool.close_idle()
    assert first.closed
    assert not second.closed
    assert len(list((tmp_path / "work").iterdir())) == 1


def test_drop__ends_the_process_and_keeps_the_package(pool: Pool) -> None:
    first = pool.open(JOBS[0])
    pool.drop(JOBS[0])
    assert first.closed
    assert pool.package(JOBS[0]).exists()
    assert pool.session(JOBS[0]) is not first


def test_session__package_that_does_not_load__says_so_and_can_be_tried_again(pool: Pool) -> None:
    pool.package(JOBS[0]).write_bytes(b"nonsense")
    with pytest.raises(BadPackage):
        pool.session(JOBS[0])
    assert not pool.open(JOBS[0]).closed


def test_stop__from_outside__ends_what_is_under_way(pool: Pool) -> None:
    session = pool.open(JOBS[0])
    pool.stop()
    with pytest.raises(EngineStopped):
        session.render(1, 1, RenderSettings(8, 8, 1))
    assert pool.open(JOBS[1]).closed


def test_close__leaves_nothing(pool: Pool, tmp_path: Path) -> None:
    pool.open(JOBS[0])
    pool.close()
    assert not (tmp_path / "work").exists()


def test_start__removes_what_a_killed_process_left(tmp_path: Path) -> None:
    folder = tmp_path / "work" / "old"
    folder.mkdir(parents=True)
    (folder / "package").write_bytes(b"SCENE")
    Pool(tmp_path / "work")
    assert list((tmp_path / "work").iterdir()) == []
    assert (tmp_path / "work").stat().st_mode & 0o77 == 0


def test_progress__reaches_whoever_listens_now(pool: Pool) -> None:
    heard = []
    session = pool.open(JOBS[0])
    pool.on_progress = heard.append
    session.render(1, 1, RenderSettings(8, 8, 1))
    assert [progress.frame for progress in heard] == [1]


def test_attack_a_scene_that_left_a_folder_a_thousand_deep_ends_no_later_start(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    dig(tmp_path / "work", 1_500)
    with ordinary_stack():
        Pool(tmp_path / "work").open(JOBS[0])
