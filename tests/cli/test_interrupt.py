"""Ctrl-C in the middle of a run, in a process of its own."""

import asyncio
import signal
import sys

from tests.cli.runs import write_pools


async def test_an_interrupted_run_says_that_the_same_command_resumes(tmp_path):
    pools = write_pools(tmp_path / "pools.jsonl", prompts=2, responses=2)
    called = asyncio.Event()

    async def never_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        called.set()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(never_answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        words = ("--proposer", f"m@http://127.0.0.1:{port}/v1", "--out", str(tmp_path / "run"))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "uppertail", "refine", str(pools), *words),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        await asyncio.wait_for(called.wait(), 60)
        process.send_signal(signal.SIGINT)
        _, said = await process.communicate()
    assert process.returncode == 130
    assert "interrupted; what is finished is stored" in said.decode()
    assert "Traceback" not in said.decode()
