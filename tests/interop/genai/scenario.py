"""The scenarios: which there are, what they tell, and how one case of one of them is played."""

import json
import os
import subprocess
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

import environments

HERE = Path(__file__).parent
SCENARIOS = HERE / "scenarios"
SCENE = json.loads((HERE / "scene.json").read_text())
PLAY_SECONDS = 120
HOME_PREFIX = "genai-home-"
# What scenarios tell of the machine that they run on.
RESOURCE = "service.name=genai-fixture,service.instance.id=fixture,host.name=fixture"
# No real keys: the clients refuse to start without one.
KEYS = {
    "ANTHROPIC_API_KEY": "fake",
    "AWS_ACCESS_KEY_ID": "fake",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_SECRET_ACCESS_KEY": "fake",
    "GOOGLE_API_KEY": "fake",
    "OPENAI_API_KEY": "fake",
}


@dataclass(frozen=True)
class Scenario:
    """An instrumentation and the cases that it can play, as its `.toml` file tells:

    * `set`: its requirements; `runtime`: `python` (default), `node` or `java`; `protocol`: that of its export;
    * `program`: the scenario that plays it, if it shares that of another version;
    * `packages`: the instrumentation and what it instruments, for the versions in the truth;
    * `cases`; those in `session_cases` set session and user, those in `no_content_cases` capture no content;
    * `questions_only`: of what the program sends, the truth keeps the question alone: the rest is the program's own;
    * `keeps_spans`: names of the spans that the recording keeps, of a program that exports hundreds;
    * `arguments`: more arguments of the program;
    * `untold`: by case, or for `all`: what this instrumentation does not tell, field by field, and why that is so;
      an empty reason in a case takes back what `all` says.
    """

    name: str
    set: str
    packages: tuple
    cases: tuple
    program: str = ""
    runtime: str = "python"
    protocol: str = "http/protobuf"
    session_cases: tuple = ("session",)
    no_content_cases: tuple = ("no_content",)
    questions_only: bool = False
    keeps_spans: tuple = ()
    arguments: tuple = ()
    untold: dict | None = None

    def facts(self, case):
        """The part of the truth that is known before the case is played."""
        speaks = case in self.session_cases
        untold = self.untold or {}
        untold = untold.get("all", {}) | untold.get(case, {})
        return {
            "instrumentation": self.name,
            "case": case,
            "packages": environments.versions(self.runtime, self.set, self.packages),
            "session_id": SCENE["session_id"] if speaks else None,
            "user_id": SCENE["user_id"] if speaks else None,
            "content": case not in self.no_content_cases,
            "untold": {field: reason for field, reason in untold.items() if reason},
        }

    def play(self, case, fake_url, endpoint, protocol=None):
        """Runs one case in a process of its own, which exports to `endpoint` by this protocol or the scenario's own;
        returns the tools that it ran. Raises if the process fails."""
        with tempfile.TemporaryDirectory(prefix=HOME_PREFIX) as home:
            tools = Path(home) / "tools"
            done = subprocess.run(
                self.command(case),
                cwd=home,
                env=self.environment(home, tools, fake_url, endpoint, protocol or self.protocol),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=PLAY_SECONDS,
            )
            if done.returncode:
                raise RuntimeError(f"{self.name}/{case} ended with {done.returncode}:\n{done.stdout}")
            return [json.loads(line) for line in tools.read_text().splitlines()] if tools.exists() else []

    def command(self, case):
        if self.runtime == "python":
            return [environments.python(self.set), SCENARIOS / f"{self.program or self.name}.py", case]
        if self.runtime == "java":
            return ["java", "-jar", environments.java(self.set), case, HERE / "scene.json", *self.arguments]
        # Node.js finds packages from where a module lies.
        packages = environments.javascript(self.set)
        for file in ("scenarios", "scene.json"):
            link = packages / file
            link.unlink(missing_ok=True)
            link.symlink_to(HERE / file)
        program = packages / f"scenarios/{self.program or self.name}.mjs"
        return ["node", "--preserve-symlinks", "--preserve-symlinks-main", program, case]

    def environment(self, home, tools, fake_url, endpoint, protocol):
        """Nothing of the caller's environment but where to find programs: a run shall be the same everywhere."""
        return KEYS | {
            "FAKE_URL": fake_url,
            "HOME": home,
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
            "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
            "OTEL_RESOURCE_ATTRIBUTES": RESOURCE,
            "OTEL_SERVICE_NAME": "genai-fixture",
            "PATH": os.environ["PATH"],
            "PYTHONDONTWRITEBYTECODE": "1",
            "SCENE_TOOLS_FILE": str(tools),
        }


def all_scenarios():
    """Every scenario, by name."""
    found = {}
    for file in sorted(SCENARIOS.glob("*.toml")):
        told = tomllib.loads(file.read_text())
        told = {key: tuple(value) if isinstance(value, list) else value for key, value in told.items()}
        found[file.stem] = Scenario(file.stem, **told)
    return found
