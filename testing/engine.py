"""A real vLLM server over a tiny model, where an environment with vLLM is at hand. No download, no GPU needed.

`MAIEUTIC_VLLM_PYTHON` names the Python of that environment. It is not this package's own: vLLM pins much.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

__all__ = ["VARIABLE", "Engine", "long_context"]

VARIABLE = "MAIEUTIC_VLLM_PYTHON"
"""The environment variable that names the Python with vLLM."""

_ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "VLLM_CPU_KVCACHE_SPACE": "1",  # GiB
    "TORCHDYNAMO_DISABLE": "1",  # else the first log-probability compiles for a quarter of a minute
}
_FLAGS = (
    "--dtype", "float32", "--max-num-seqs", "64", "--enforce-eager", "--host", "127.0.0.1", "--block-size", "32",
    "--structured-outputs-config", '{"backend":"xgrammar","disable_any_whitespace":true}',
    "--enable-prompt-tokens-details",
)  # fmt: skip


class Engine:
    """One server. Entering starts it; `ready` waits until it answers; leaving ends it.

    Args:
        folder: The model, in the format of transformers.
        name: What the server calls it.
        context: Most tokens of prompt and reply together.
        flags: Further flags of vLLM's server.
    """

    def __init__(self, folder: Path, name: str, *, context: int = 512, flags: Sequence[str] = ()) -> None:
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.base = f"{self.url}/v1"
        self._command = [
            os.environ[VARIABLE], "-m", "vllm.entrypoints.openai.api_server", "--model", str(folder),
            "--served-model-name", name, "--max-model-len", str(context), "--port", str(self.port), *_FLAGS, *flags,
        ]  # fmt: skip
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed on leaving
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command,
            env={**os.environ, **_ENVIRONMENT},
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        return self

    def ready(self, seconds: float = 240.0) -> Self:
        """Wait until it answers.

        Raises:
            RuntimeError: It ended, or does not answer in time; the message has the end of its log.
        """
        assert self._process is not None
        until = time.monotonic() + seconds
        while time.monotonic() < until and self._process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.base}/models", timeout=2):
                    return self
            except (urllib.error.URLError, OSError):
                time.sleep(1)
        raise RuntimeError(f"vLLM did not start: {self.log[-3000:]}")

    @property
    def log(self) -> str:
        """What it has written so far."""
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def metric(self, name: str) -> float:
        """The sum of one of its metrics, such as "prefix_cache_hits_total", over its labels."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=10) as reply:
            lines = reply.read().decode().splitlines()
        rows = [line for line in lines if line.startswith((f"vllm:{name}{{", f"vllm:{name} "))]
        return sum(float(row.rpartition(" ")[2]) for row in rows)

    def kill(self) -> None:
        """End it at once, as a crash does."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()
        self._log.close()


def long_context(source: Path, folder: Path, tokens: int) -> Path:
    """A copy of a model folder whose context is longer than what it was trained for.

    What it writes beyond is noise, which does where only the protocol matters.
    """
    copy = Path(shutil.copytree(source, folder))
    for name, key in (("config.json", "max_position_embeddings"), ("tokenizer_config.json", "model_max_length")):
        settings = json.loads((copy / name).read_text(encoding="utf-8"))
        (copy / name).write_text(json.dumps({**settings, key: tokens}), encoding="utf-8")
    return copy


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
