"""A relay as it is usually written with FastAPI: uvicorn on uvloop, `websockets` towards the provider, every event read
as JSON and written as JSON, both ways.

usage: relay-fastapi.py PORT ws://127.0.0.1:UPSTREAM
"""
import asyncio
import contextlib
import json
import sys

import uvicorn
import websockets
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

port, upstream = int(sys.argv[1]), sys.argv[2]


@contextlib.asynccontextmanager
async def lifespan(_):
    print("relay ready", flush=True)
    yield


app = FastAPI(lifespan=lifespan)


async def to_provider(caller, provider):
    with contextlib.suppress(WebSocketDisconnect):
        while True:
            await provider.send(json.dumps(json.loads(await caller.receive_text())))


async def to_caller(caller, provider):
    with contextlib.suppress(websockets.ConnectionClosed):
        async for event in provider:
            await caller.send_text(json.dumps(json.loads(event)))


@app.websocket("/v1/realtime")
async def relay(caller: WebSocket):
    await caller.accept()
    url = f"{upstream}/v1/realtime?{caller.url.query}"
    async with websockets.connect(url, compression=None, max_size=None) as provider:
        ways = [asyncio.create_task(way(caller, provider)) for way in (to_provider, to_caller)]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
    with contextlib.suppress(RuntimeError):
        await caller.close()


uvicorn.run(app, host="127.0.0.1", port=port, loop="uvloop", ws="websockets", ws_per_message_deflate=False,
            log_level="warning", backlog=2048)
