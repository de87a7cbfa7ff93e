"""Tables in Markdown, and where their figures are from."""

Row = list[str]


def provenance(results: dict) -> str:
    """Where and with what something was measured, of `machine.provenance`."""
    machine, versions = results["machine"], results["versions"]
    packages = ", ".join(f"{name} {version}" for name, version in versions.items())
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB, "
        f"{machine['system']}; {packages}; commit {results['commit']}; {results['date']}."
    )


def table(rows: list[Row]) -> str:
    """A table in Markdown; the first row is its head."""
    head, *body = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([head, "|" + "---|" * len(rows[0]), *body])
