"""`reflow completion bash|zsh|fish`: a script for the shell, made from the parsers, so that it knows every option.

Such a script completes at once, without starting a Python. Nothing is relied on: of the libraries there are, those that
write scripts leave out fish, the others start Python at each press of the key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from reflow.cli.words import Level

HOW = {
    "bash": 'eval "$(reflow completion bash)", in ~/.bashrc',
    "zsh": 'eval "$(reflow completion zsh)", in ~/.zshrc after compinit',
    "fish": "reflow completion fish > ~/.config/fish/completions/reflow.fish",
}


def completion(shell: str, levels: Sequence[Level]) -> str:
    """The script's text."""
    lines = [f"# Completion of `reflow` for {shell}. To have it: {HOW[shell]}", *_SHELLS[shell](levels)]
    return "\n".join(lines) + "\n"


def _bash(levels: Sequence[Level]) -> Iterator[str]:
    yield "_reflow() {"
    yield '    local cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD-1]}" at="" word words="" files=""'
    yield '    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do'
    yield '        case "$at/$word" in'
    yield f'            {_known(levels)}) at="$at/$word" ;;'
    yield "        esac"
    yield "    done"
    yield '    case "$at $prev" in'
    for level in levels:
        for value, flags in _by_value(level).items():
            patterns = "|".join(f'"{level.path} {flag}"' for flag in flags)
            yield f"        {patterns}) {_bash_value(value)}; return ;;"
    yield "    esac"
    yield '    case "$at" in'
    for level in levels:
        words = [name for name, _ in level.commands] + [f for option in level.options for f in option.flags]
        if level.positional not in ("", "file", "any"):
            words += level.positional.split()
        files = " files=1" if level.positional == "file" else ""
        yield f"""        "{level.path}") words="{" ".join(words)}"{files} ;;"""
    yield "    esac"
    yield '    COMPREPLY=($(compgen -W "$words" -- "$cur"))'
    yield '    if [ -n "$files" ]; then COMPREPLY+=($(compgen -f -- "$cur")); fi'
    yield "}"
    yield "complete -o filenames -F _reflow reflow"


def _bash_value(value: str) -> str:
    if value == "file":
        return 'COMPREPLY=($(compgen -f -- "$cur"))'
    return "COMPREPLY=()" if value == "any" else f'COMPREPLY=($(compgen -W "{value}" -- "$cur"))'


def _zsh(levels: Sequence[Level]) -> Iterator[str]:
    yield "_reflow() {"
    yield '    local at="" word'
    yield "    local -a found"
    yield "    for word in ${words[2,CURRENT-1]}; do"
    yield '        case "$at/$word" in'
    yield f'            {_known(levels)}) at="$at/$word" ;;'
    yield "        esac"
    yield "    done"
    yield '    case "$at ${words[CURRENT-1]}" in'
    for level in levels:
        for value, flags in _by_value(level).items():
            patterns = "|".join(f'"{level.path} {flag}"' for flag in flags)
            yield f"        {patterns}) {_zsh_value(value)}; return ;;"
    yield "    esac"
    yield '    case "$at" in'
    for level in levels:
        commands = [f"{_quoted(f'{name}:{_colons(help)}')}" for name, help in level.commands]
        options = [_quoted(f"{f}:{_colons(o.help)}") for o in level.options for f in o.flags]
        positional = "" if level.positional in ("", "any") else f"; {_zsh_value(level.positional)}"
        yield f'        "{level.path}") found=({" ".join([*commands, *options])}){positional} ;;'
    yield "    esac"
    yield "    _describe 'reflow' found"
    yield "}"
    yield "compdef _reflow reflow"


def _zsh_value(value: str) -> str:
    if value == "file":
        return "_files"
    return ":" if value == "any" else f"compadd {value}"


def _fish(levels: Sequence[Level]) -> Iterator[str]:
    yield "function __reflow_at"
    yield "    set -l at ''"
    yield "    for word in (commandline -opc)[2..-1]"
    yield "        switch $at/$word"
    yield f"            case {' '.join(_quoted(level.path) for level in levels if level.path)}"
    yield "                set at $at/$word"
    yield "        end"
    yield "    end"
    yield '    test "$at" = "$argv[1]"'
    yield "end"
    yield "complete -c reflow -f"
    for level in levels:
        when = f"complete -c reflow -n {_quoted(f'__reflow_at {_quoted_twice(level.path)}')}"
        for name, help in level.commands:
            yield f"{when} -a {name} -d {_quoted(help)}"
        if level.positional not in ("", "any"):
            yield f"{when} -F" if level.positional == "file" else f"{when} -a {_quoted(level.positional)}"
        for option in level.options:
            yield f"{when} {_fish_option(option.flags, option.value)} -d {_quoted(option.help)}"


def _fish_option(flags: Sequence[str], value: str) -> str:
    names = [f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}" for flag in flags]
    takes = {"": "", "file": " -r -F", "any": " -x"}.get(value, f" -x -a {_quoted(value)}")
    return " ".join(names) + takes


def _known(levels: Sequence[Level]) -> str:
    return "|".join(level.path for level in levels if level.path)


def _by_value(level: Level) -> Mapping[str, list[str]]:
    """The flags that take a value, by what it is."""
    found: dict[str, list[str]] = {}
    for option in level.options:
        if option.value:
            found.setdefault(option.value, []).extend(option.flags)
    return found


def _colons(text: str) -> str:
    return text.replace(":", "\\:")


def _quoted(text: str) -> str:
    """For all three shells: no quote within."""
    return "'" + text.replace("'", "’") + "'"


def _quoted_twice(text: str) -> str:
    return f'"{text}"'


_SHELLS: Mapping[str, Callable[[Sequence[Level]], Iterator[str]]] = {
    "bash": _bash,
    "zsh": _zsh,
    "fish": _fish,
}
SHELLS = tuple(_SHELLS)
