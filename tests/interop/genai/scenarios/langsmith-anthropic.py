"""LangSmith's Anthropic wrapper below a traceable function, exported over OTLP alone (tracing mode `otel`)."""

import os

from langsmith import Client, traceable
from langsmith.run_helpers import tracing_context
from langsmith.wrappers import wrap_anthropic

import anthropic_cases
from scene import SESSION, USER, case, get_weather

hidden = case() == "no_content"
client = Client(api_key="fake", tracing_mode="otel", hide_inputs=hidden, hide_outputs=hidden)
make_client = anthropic_cases.client
anthropic_cases.client = lambda: wrap_anthropic(make_client())
anthropic_cases.get_weather = traceable(run_type="tool")(get_weather)


@traceable
def answer(name):
    anthropic_cases.play(name)
    return "done"


metadata = {"session_id": SESSION, "user_id": USER, "plan": "pro"} if case() == "session" else {}
with tracing_context(enabled=True, client=client):
    answer("tools" if case() == "agent" else case(), langsmith_extra={"metadata": metadata, "tags": ["beta"]})
client.flush()
