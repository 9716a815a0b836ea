"""The application of the Pydantic AI scenarios: what its agent does in each case, on whichever model."""

from contextlib import suppress

from pydantic_ai import Agent
from pydantic_ai.exceptions import ModelHTTPError
from scene import PROMPTS, SESSION, SYSTEM, get_weather


def play(case, model):
    agent = Agent(model, name="guide", instructions=SYSTEM)
    prompt = PROMPTS[case]
    if case == "stream":
        for _ in agent.run_stream_sync(prompt).stream_text():
            pass
    elif case in ("tools", "parallel_tools"):
        agent.tool_plain(get_weather)
        agent.run_sync(prompt)
    elif case == "error":
        with suppress(ModelHTTPError):
            agent.run_sync(prompt)
    elif case == "session":
        agent.run_sync(prompt, conversation_id=SESSION)
    elif case == "agent":
        delegate(agent, model, prompt)
    else:
        agent.run_sync(prompt)


def delegate(guide, model, prompt):
    """A tool of this agent asks a second agent, which has a tool of its own."""
    desk = Agent(model, name="desk", instructions=SYSTEM)
    desk.tool_plain(get_weather)

    @guide.tool_plain
    async def ask_weather_desk(city: str) -> str:
        """Asks the desk for the weather in a city."""
        answer = await desk.run(PROMPTS["tools"])
        return answer.output

    guide.run_sync(prompt)
