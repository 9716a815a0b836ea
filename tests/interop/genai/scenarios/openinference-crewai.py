"""OpenInference on CrewAI, and on the OpenAI client below it in cases that end in `_openai`."""

import os

os.environ |= {"CREWAI_DISABLE_TELEMETRY": "true", "CREWAI_TRACING_ENABLED": "false"}

from crewai import LLM, Agent, Crew, Task
from crewai.tools import tool
from openinference.instrumentation import TraceConfig, using_attributes
from openinference.instrumentation.crewai import CrewAIInstrumentor
from openinference.instrumentation.openai import OpenAIInstrumentor

from scene import MODELS, PROMPTS, SESSION, SYSTEM, USER, case, fake, get_weather, tracing

name = case().removesuffix("_openai")
hidden = name == "no_content"
setup = {"tracer_provider": tracing(), "config": TraceConfig(hide_inputs=hidden, hide_outputs=hidden)}
CrewAIInstrumentor().instrument(**setup)
if name != case():
    OpenAIInstrumentor().instrument(**setup)

client = {"base_url": fake("/v1"), "api_key": "fake", "max_retries": 0}
llm = LLM(model=f"openai/{MODELS['openai']}", stream=name == "stream", **client)
guide = Agent(
    role="guide",
    goal=SYSTEM,
    backstory="You know every city.",
    llm=llm,
    max_retry_limit=0,
    tools=[tool("get_weather")(get_weather)] if name in ("tools", "agent") else [],
)
task = Task(description=PROMPTS[name], expected_output="One sentence.", agent=guide)
crew = Crew(agents=[guide], tasks=[task], tracing=False)
try:
    if name == "session":
        with using_attributes(session_id=SESSION, user_id=USER, metadata={"plan": "pro"}, tags=["beta"]):
            crew.kickoff()
    else:
        crew.kickoff()
except Exception:
    if name != "error":
        raise
