"""One environment of packages for each set of requirements, since the instrumentations want different versions."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[2]
TOOLS = Path(os.environ.get("OBSERVATORY_TOOLS_DIR") or REPOSITORY / ".tools").resolve()
POM = {"m": "http://maven.apache.org/POM/4.0.0"}


def python(name):
    """The interpreter of the set `requirements/<name>.txt`, which is installed when it is not there yet."""
    requirements = HERE / "requirements" / f"{name}.txt"
    home = place(f"genai-python-{name}", requirements)
    if not (home / ".complete").exists():
        print(f"installing {requirements.relative_to(HERE)}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
        pip = [home / "bin/pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "-r", requirements], check=True)
        (home / ".complete").touch()
    return home / "bin/python"


def javascript(name):
    """The folder with the packages of `javascript/<name>/package-lock.json`, likewise."""
    source = HERE / "javascript" / name
    home = place(f"genai-javascript-{name}", source / "package-lock.json")
    if not (home / ".complete").exists():
        print(f"installing {source.relative_to(HERE)}", file=sys.stderr)
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        for file in ("package.json", "package-lock.json"):
            shutil.copy(source / file, home)
        quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
        subprocess.run(["npm", "ci", *quiet], cwd=home, check=True)
        (home / ".complete").touch()
    return home


def java(name):
    """The program that Maven builds from `java/<name>`, likewise."""
    source = HERE / "java" / name
    files = [path for path in sorted(source.rglob("*")) if path.is_file()]
    home = place(f"genai-java-{name}", *files)
    if not (home / ".complete").exists():
        print(f"building {source.relative_to(HERE)}", file=sys.stderr)
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(source, home)
        subprocess.run(["mvn", "--quiet", "--batch-mode", "package"], cwd=home, check=True)
        (home / ".complete").touch()
    return home / "target/scenario.jar"


def place(name, *definition):
    """A folder that is named after the content of the files that define it."""
    return TOOLS / f"{name}-{hashlib.sha256(b''.join(file.read_bytes() for file in definition)).hexdigest()[:16]}"


def versions(runtime, name, packages):
    """The versions of packages in a set, as it pins them."""
    if runtime == "node":
        lock = json.loads((HERE / "javascript" / name / "package-lock.json").read_text())["packages"]
        return {package: lock[f"node_modules/{package}"]["version"] for package in packages}
    if runtime == "java":
        pom = ElementTree.parse(HERE / "java" / name / "pom.xml")
        return {package: pom.findtext(f"m:properties/m:{package}.version", namespaces=POM) for package in packages}
    lines = (HERE / "requirements" / f"{name}.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if "==" in line)
    pins = {package.partition("[")[0].strip(): version.strip() for package, version in pins.items()}
    return {package: pins[package] for package in packages}
