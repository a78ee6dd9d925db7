"""The wire formats that the loopback server speaks, each as the pair *read a request, write a reply*."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, Protocol

import orjson

from maieutic.backends.types import TokenLogprob, Usage
from maieutic.memory.transcript import Message
from maieutic.testing.calling import anthropic_call, ended, gemini_call, gemini_tools, openai_call, openai_pieces
from maieutic.testing.canned import CannedReply, Family, ParsedRequest, counted, tokens, told

__all__ = ["FORMATS", "WireFormat"]


class WireFormat(Protocol):
    """One provider's format. `events` returns a stream's pieces in two parts: the beginning, and the finish."""

    def read(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of a ParsedRequest that the body determines."""
        ...

    def reply(self, request: ParsedRequest, canned: CannedReply, *others: CannedReply) -> bytes:
        """The whole body of a reply, with further choices where the format has them."""
        ...

    def events(self, request: ParsedRequest, canned: CannedReply) -> tuple[list[bytes], list[bytes]]:
        """The same reply as server-sent events."""
        ...

    def error(self, code: int, message: str) -> bytes:
        """The body of an error, in a reply or as an event's data."""
        ...


def event(data: Mapping[str, Any], name: str | None = None) -> bytes:
    """One server-sent event."""
    head = b"" if name is None else b"event: " + name.encode() + b"\n"
    return head + b"data: " + orjson.dumps(data) + b"\n\n"


def flat(content: Any) -> str:
    """The text of a message's content, which is a string or a list of parts."""
    if isinstance(content, str):
        return content
    return "".join(str(part.get("text", "")) for part in content or ())


class OpenAIFormat:
    """OpenAI's chat completions, as vLLM, OpenRouter and many others speak them."""

    def read(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """See WireFormat."""
        wanted = body.get("response_format") or {}
        stop = body.get("stop") or ()
        return {
            "model": body["model"],
            "messages": tuple(Message(m["role"], flat(m["content"])) for m in body["messages"]),
            "stream": bool(body.get("stream")),
            "usage": bool((body.get("stream_options") or {}).get("include_usage")),
            "schema": wanted.get("json_schema", {}).get("schema"),
            "logprobs": int(body.get("top_logprobs") or 0) if body.get("logprobs") else None,
            "n": body.get("n") or 1,
            "stop": (stop,) if isinstance(stop, str) else tuple(stop),
            "max_tokens": body.get("max_completion_tokens") or body.get("max_tokens"),
            "tools": tuple(tool["function"]["name"] for tool in body.get("tools") or ()),
        }

    def reply(self, request: ParsedRequest, canned: CannedReply, *others: CannedReply) -> bytes:
        """See WireFormat."""
        choices = [{"index": i, **self._choice(request, one)} for i, one in enumerate((canned, *others))]
        usage = counted(request, canned)
        more = sum(counted(request, other).completion or 0 for other in others)
        body = self._frame(request, canned, "chat.completion", choices)
        return orjson.dumps({**body, "usage": self._usage(replace(usage, completion=(usage.completion or 0) + more))})

    def _choice(self, request: ParsedRequest, canned: CannedReply) -> dict[str, Any]:
        message: dict[str, Any] = {
            "role": "assistant",
            "content": canned.text or None if canned.tool_calls else canned.text,
        }
        if canned.reasoning is not None:
            message |= dict.fromkeys(canned.thought_in, canned.reasoning)
        if canned.tool_calls:
            message["content"] = canned.text or None
            message["tool_calls"] = [openai_call(request, i, call) for i, call in enumerate(canned.tool_calls)]
        return {"message": message, "finish_reason": ended(canned), "logprobs": self._logprobs(request, canned)}

    def events(self, request: ParsedRequest, canned: CannedReply) -> tuple[list[bytes], list[bytes]]:
        """See WireFormat."""
        begin = [self._chunk(request, canned, {"role": "assistant", "content": ""})]
        if canned.reasoning is not None:
            thoughts = [dict.fromkeys(canned.thought_in, t) for t in tokens(canned.reasoning)]
            begin += [self._chunk(request, canned, thought) for thought in thoughts]
        logprobs = self._logprobs(request, canned)
        if logprobs is None:
            begin += [self._chunk(request, canned, {"content": piece}) for piece in tokens(canned.text)]
        else:
            for entry in logprobs["content"]:
                begin.append(self._chunk(request, canned, {"content": entry["token"]}, logprobs={"content": [entry]}))
        for i, call in enumerate(canned.tool_calls):
            pieces = openai_pieces(openai_call(request, i, call))
            begin += [self._chunk(request, canned, {"tool_calls": [{"index": i, **piece}]}) for piece in pieces]
        finish = [self._chunk(request, canned, {}, finish=ended(canned))]
        if request.usage:
            frame = self._frame(request, canned, "chat.completion.chunk", [])
            finish.append(event({**frame, "usage": self._usage(counted(request, canned))}))
        return begin, [*finish, b"data: [DONE]\n\n"]

    def error(self, code: int, message: str) -> bytes:
        """See WireFormat."""
        return orjson.dumps({"error": {"message": message, "type": "error", "param": None, "code": code}})

    def _chunk(
        self,
        request: ParsedRequest,
        canned: CannedReply,
        delta: Mapping[str, Any],
        finish: str | None = None,
        logprobs: Mapping[str, Any] | None = None,
    ) -> bytes:
        choice = {"delta": delta, "finish_reason": finish, "logprobs": logprobs}
        choices = [{"index": i, **choice} for i in range(request.n)]
        return event(self._frame(request, canned, "chat.completion.chunk", choices))

    def _frame(
        self, request: ParsedRequest, canned: CannedReply, kind: str, choices: list[dict[str, Any]]
    ) -> dict[str, Any]:
        return {
            "id": f"chatcmpl-{request.number}",
            "object": kind,
            "created": 1_700_000_000,
            "model": canned.model or request.model,
            "service_tier": "default",
            "choices": choices,
        }

    def _usage(self, usage: Usage) -> dict[str, Any]:
        body: dict[str, Any] = {
            "prompt_tokens": usage.prompt or 0,
            "completion_tokens": usage.completion or 0,
            "total_tokens": (usage.prompt or 0) + (usage.completion or 0),
        }
        if usage.cached is not None:
            body["prompt_tokens_details"] = {"cached_tokens": usage.cached}
        if usage.reasoning is not None:
            body["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning}
        return body

    def _logprobs(self, request: ParsedRequest, canned: CannedReply) -> dict[str, Any] | None:
        if request.logprobs is None:
            return None
        return {
            "content": [
                {
                    "token": t.token,
                    "logprob": t.logprob,
                    "bytes": list(t.token.encode()),
                    "top_logprobs": [{"token": k, "logprob": v, "bytes": None} for k, v in t.top.items()],
                }
                for t in told(request, canned)
            ]
        }


class AnthropicFormat:
    """Anthropic's messages."""

    _finish: Mapping[str, str] = {"stop": "end_turn", "length": "max_tokens", "content_filter": "refusal"}

    def read(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """See WireFormat."""
        system = [Message("system", flat(body["system"]))] if body.get("system") else []
        wanted = body.get("output_format") or (body.get("output_config") or {}).get("format") or {}
        forced = (body.get("tool_choice") or {}).get("name")
        tool = next((t for t in body.get("tools") or () if t["name"] == forced), None)
        return {
            "model": body["model"],
            "messages": (*system, *(Message(m["role"], flat(m["content"])) for m in body["messages"])),
            "stream": bool(body.get("stream")),
            "schema": wanted.get("schema") or (tool or {}).get("input_schema"),
            "tool": forced,
            "stop": tuple(body.get("stop_sequences") or ()),
            "max_tokens": body.get("max_tokens"),
            "tools": tuple(t["name"] for t in body.get("tools") or ()),
        }

    def reply(self, request: ParsedRequest, canned: CannedReply, *others: CannedReply) -> bytes:
        """See WireFormat."""
        return orjson.dumps(
            {
                **self._message(request, canned),
                "content": self._blocks(request, canned),
                "stop_reason": self._stop(request, canned),
                "usage": self._usage(counted(request, canned)),
            }
        )

    def events(self, request: ParsedRequest, canned: CannedReply) -> tuple[list[bytes], list[bytes]]:
        """See WireFormat."""
        usage = self._usage(counted(request, canned))
        head = {**self._message(request, canned), "usage": {**usage, "output_tokens": 1}}
        begin = [event({"type": "message_start", "message": head}, "message_start")]
        for index, block in enumerate(self._blocks(request, canned)):
            begin += self._block_events(index, block)
        ending = {"stop_reason": self._stop(request, canned), "stop_sequence": None}
        told = {"output_tokens": usage["output_tokens"]}
        return begin, [
            event({"type": "message_delta", "delta": ending, "usage": told}, "message_delta"),
            event({"type": "message_stop"}, "message_stop"),
        ]

    def error(self, code: int, message: str) -> bytes:
        """See WireFormat."""
        kinds = {401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error", 529: "overloaded_error"}
        kind = kinds.get(code, "invalid_request_error" if code < 500 else "api_error")
        return orjson.dumps({"type": "error", "error": {"type": kind, "message": message}})

    def _message(self, request: ParsedRequest, canned: CannedReply) -> dict[str, Any]:
        model = canned.model or request.model
        fixed: dict[str, Any] = {
            "type": "message",
            "role": "assistant",
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
        }
        return {"id": f"msg_{request.number}", "model": model, **fixed}

    def _stop(self, request: ParsedRequest, canned: CannedReply) -> str:
        return "tool_use" if request.tool or canned.tool_calls else self._finish[canned.finish]

    def _blocks(self, request: ParsedRequest, canned: CannedReply) -> list[dict[str, Any]]:
        blocks: list[dict[str, Any]] = []
        if canned.reasoning is not None:
            blocks.append({"type": "thinking", "thinking": canned.reasoning, "signature": "loopback"})
        if request.tool:
            used = {"type": "tool_use", "id": f"toolu_{request.number}", "name": request.tool}
            return [*blocks, {**used, "input": orjson.loads(canned.text)}]
        if canned.text or not canned.tool_calls:
            blocks.append({"type": "text", "text": canned.text})
        calls = [(f"toolu_{request.number}_{i}", call) for i, call in enumerate(canned.tool_calls)]
        return [*blocks, *(anthropic_call(id_, call) for id_, call in calls)]

    def _block_events(self, index: int, block: dict[str, Any]) -> list[bytes]:
        kind = block["type"]
        empty: dict[str, Any] = {**block, ("input" if kind == "tool_use" else kind): {} if kind == "tool_use" else ""}
        if kind == "tool_use":
            pieces = tokens(orjson.dumps(block["input"]).decode())
            deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
        else:
            deltas = [{"type": f"{kind}_delta", kind: piece} for piece in tokens(block[kind])]
        if kind == "thinking":
            empty["signature"] = ""
            deltas.append({"type": "signature_delta", "signature": block["signature"]})
        start = event({"type": "content_block_start", "index": index, "content_block": empty}, "content_block_start")
        body = [
            event({"type": "content_block_delta", "index": index, "delta": d}, "content_block_delta") for d in deltas
        ]
        return [start, *body, event({"type": "content_block_stop", "index": index}, "content_block_stop")]

    def _usage(self, usage: Usage) -> dict[str, Any]:
        cached = usage.cached or 0
        counts = {"input_tokens": (usage.prompt or 0) - cached, "output_tokens": usage.completion or 0}
        return counts if usage.cached is None else {**counts, "cache_read_input_tokens": cached}


class GeminiFormat:
    """Google's generateContent and streamGenerateContent."""

    _finish: Mapping[str, str] = {"stop": "STOP", "length": "MAX_TOKENS", "content_filter": "SAFETY"}
    _roles: Mapping[str, Literal["user", "assistant"]] = {"user": "user", "model": "assistant"}

    def read(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """See WireFormat."""
        model, _, verb = path.rpartition("/models/")[2].partition(":")
        system = body.get("system_instruction") or body.get("systemInstruction")
        first = [Message("system", flat(system["parts"]))] if system else []
        config = body.get("generationConfig") or {}
        rest = (Message(self._roles[m["role"]], flat(m["parts"])) for m in body["contents"])
        return {
            "model": model,
            "messages": (*first, *rest),
            "stream": verb == "streamGenerateContent",
            "schema": next((config[k] for k in _GEMINI_SCHEMA if k in config), None),
            "logprobs": int(config.get("logprobs") or 0) if config.get("responseLogprobs") else None,
            "n": config.get("candidateCount") or 1,
            "stop": tuple(config.get("stop_sequences") or config.get("stopSequences") or ()),
            "max_tokens": config.get("max_output_tokens") or config.get("maxOutputTokens"),
            "tools": gemini_tools(body),
        }

    def reply(self, request: ParsedRequest, canned: CannedReply, *others: CannedReply) -> bytes:
        """See WireFormat."""
        parts: list[dict[str, Any]] = [{"text": canned.text}]
        if canned.reasoning is not None:
            parts.insert(0, {"text": canned.reasoning, "thought": True})
        parts += [gemini_call(call) for call in canned.tool_calls]
        logprobs = None if request.logprobs is None else told(request, canned)
        finish = self._finish[canned.finish]
        return orjson.dumps(
            self._frame(request, canned, parts, finish=finish, logprobs=logprobs, usage=counted(request, canned))
        )

    def events(self, request: ParsedRequest, canned: CannedReply) -> tuple[list[bytes], list[bytes]]:
        """See WireFormat."""
        thoughts = tokens(canned.reasoning or "")
        begin = [event(self._frame(request, canned, [{"text": t, "thought": True}])) for t in thoughts]
        if request.logprobs is None:
            begin += [event(self._frame(request, canned, [{"text": piece}])) for piece in tokens(canned.text)]
        else:
            for entry in told(request, canned):
                begin.append(event(self._frame(request, canned, [{"text": entry.token}], logprobs=[entry])))
        begin += [event(self._frame(request, canned, [gemini_call(call)])) for call in canned.tool_calls]
        finish = self._finish[canned.finish]
        usage = counted(request, canned)
        return begin, [event(self._frame(request, canned, [{"text": ""}], finish=finish, usage=usage))]

    def error(self, code: int, message: str) -> bytes:
        """See WireFormat."""
        return orjson.dumps({"error": {"code": code, "message": message, "status": "INJECTED"}})

    def _frame(
        self,
        request: ParsedRequest,
        canned: CannedReply,
        parts: list[dict[str, Any]],
        *,
        finish: str | None = None,
        logprobs: Sequence[TokenLogprob] | None = None,
        usage: Usage | None = None,
    ) -> dict[str, Any]:
        candidate: dict[str, Any] = {"content": {"role": "model", "parts": parts}, "index": 0}
        if finish is not None:
            candidate["finishReason"] = finish
        if logprobs is not None:
            candidate["logprobsResult"] = self._logprobs(logprobs)
        model = canned.model or request.model
        frame: dict[str, Any] = {"candidates": [candidate], "modelVersion": model, "responseId": f"r{request.number}"}
        if usage is not None:
            frame["usageMetadata"] = self._usage(usage)
        return frame

    def _logprobs(self, logprobs: Sequence[TokenLogprob]) -> dict[str, Any]:
        return {
            "chosenCandidates": [{"token": t.token, "logProbability": t.logprob} for t in logprobs],
            "topCandidates": [
                {"candidates": [{"token": k, "logProbability": v} for k, v in t.top.items()]} for t in logprobs
            ],
        }

    def _usage(self, usage: Usage) -> dict[str, Any]:
        thoughts = usage.reasoning or 0
        total = (usage.prompt or 0) + (usage.completion or 0)
        counts = {"promptTokenCount": usage.prompt or 0, "candidatesTokenCount": (usage.completion or 0) - thoughts}
        if usage.cached is not None:
            counts["cachedContentTokenCount"] = usage.cached
        if usage.reasoning is not None:
            counts["thoughtsTokenCount"] = thoughts
        return {**counts, "totalTokenCount": total}


_GEMINI_SCHEMA = ("response_json_schema", "responseJsonSchema", "response_schema", "responseSchema")

FORMATS: Mapping[Family, WireFormat] = {
    "openai": OpenAIFormat(),
    "anthropic": AnthropicFormat(),
    "gemini": GeminiFormat(),
}
"""Every format that the server speaks."""
