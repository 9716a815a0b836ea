"""Google's Agent Development Kit on Gemini. It traces itself; cases that end in `_schema_1` keep its older names."""

import asyncio
import os

from scene import MODELS, PROMPTS, SESSION, SYSTEM, USER, case, fake, get_weather, logs, tracing

name = case().removesuffix("_schema_1")
if name != case():
    os.environ["ADK_TELEMETRY_SCHEMA_VERSION_OPT_IN"] = "1"
os.environ["ADK_CAPTURE_MESSAGE_CONTENT_IN_SPANS"] = str(name != "no_content").lower()
if name != "no_content":
    os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "true"
os.environ["GOOGLE_GEMINI_BASE_URL"] = fake()

from google.adk.agents import LlmAgent, RunConfig
from google.adk.agents.run_config import StreamingMode
from google.adk.runners import InMemoryRunner
from google.adk.tools.agent_tool import AgentTool
from google.genai import types
from google.genai.errors import APIError

tracing()
logs()
desk = LlmAgent(
    name="guide",
    model=MODELS["google"],
    instruction=SYSTEM,
    description="Tells the weather.",
    tools=[get_weather] if name in ("tools", "agent") else [],
    generate_content_config=types.GenerateContentConfig(temperature=0.5),
)
if name == "agent":
    desk.name = "weather_desk"
    guide = LlmAgent(name="guide", model=MODELS["google"], instruction=SYSTEM, tools=[AgentTool(desk)])
else:
    guide = desk


async def ask():
    runner = InMemoryRunner(guide, app_name="travel")
    await runner.session_service.create_session(app_name="travel", user_id=USER, session_id=SESSION)
    question = types.Content(role="user", parts=[types.Part(text=PROMPTS[name])])
    mode = StreamingMode.SSE if name == "stream" else StreamingMode.NONE
    settings = {"user_id": USER, "session_id": SESSION, "run_config": RunConfig(streaming_mode=mode)}
    async for _ in runner.run_async(new_message=question, **settings):
        pass


try:
    asyncio.run(ask())
except APIError:
    if name != "error":
        raise
