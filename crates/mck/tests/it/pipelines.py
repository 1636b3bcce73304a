"""Reads a pipeline as its service would, and writes each shell script in it to a folder.

Usage: pipelines.py PIPELINE FOLDER
"""

import pathlib
import re
import sys

from groovy_parser.parser import parse_groovy_content
from ruamel.yaml import YAML


def scripts(value):
    """Every shell script of a pipeline in YAML: GitHub's `run`, CircleCI's `command`, GitLab's lists."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("run", "command") and isinstance(inner, str):
                yield inner
            elif key in ("script", "before_script"):
                yield "\n".join(flat(inner))
            else:
                yield from scripts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from scripts(inner)


def flat(lines):
    for line in lines:
        if isinstance(line, list):
            yield from flat(line)
        else:
            yield line


def main():
    pipeline, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    text = pipeline.read_text()
    if pipeline.name == "Jenkinsfile":
        parse_groovy_content(text)
        found = re.findall(r"sh '''(.*?)'''", text, re.DOTALL)
    else:
        found = list(scripts(YAML(typ="safe", pure=True).load(text)))
    for number, script in enumerate(found):
        # What a service fills in before the shell sees it.
        script = re.sub(r"\$\{\{.*?\}\}|<<.*?>>", "filled-in", script)
        (folder / f"{number}.sh").write_text("#!/bin/bash\n" + script)
    print(len(found))


main()
