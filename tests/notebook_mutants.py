"""Automatic mutants of a function: small changes to its syntax tree, each a mistake that a checker should see."""

import ast
import copy
from collections.abc import Callable, Iterator

COMPARISONS = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
OPERATORS = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
}
NAMES = {"min": "max", "max": "min", "any": "all", "all": "any", "log": "log2", "log2": "log", "floor": "ceil"}


def mutants(source: str, name: str, scope: dict) -> Iterator[tuple[str, Callable]]:
    """Yield each mutant of the function called `name` with a description such as 'line 3: p * q -> p / q'."""
    tree = ast.parse(source)
    before = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.expr | ast.stmt)]
    for place in range(sum(1 for _ in ast.walk(tree))):
        for change in range(4):
            mutated = copy.deepcopy(tree)
            node = list(ast.walk(mutated))[place]
            told = _mutate(mutated, node, change)
            if told is None:
                continue
            ast.fix_missing_locations(mutated)
            if [ast.unparse(n) for n in ast.walk(mutated) if isinstance(n, ast.expr | ast.stmt)] == before:
                continue
            inside = {key: value for key, value in scope.items() if key != name}
            exec(compile(mutated, "mutant", "exec"), inside)
            yield told, inside[name]


def _mutate(tree: ast.Module, node: ast.AST, change: int) -> str | None:
    """Apply one change of the given number to a node in place; return its description, None if there is none."""
    old = ast.unparse(node) if isinstance(node, ast.expr | ast.stmt) else ""
    done = False
    if isinstance(node, ast.Compare) and change == 0 and type(node.ops[0]) in COMPARISONS:
        node.ops[0], done = COMPARISONS[type(node.ops[0])](), True
    elif isinstance(node, ast.BinOp | ast.AugAssign) and change == 0 and type(node.op) in OPERATORS:
        node.op, done = OPERATORS[type(node.op)](), True
    elif isinstance(node, ast.BoolOp) and change == 0:
        node.op, done = (ast.Or() if isinstance(node.op, ast.And) else ast.And()), True
    elif isinstance(node, ast.UnaryOp) and change == 0:
        node.op, done = ast.UAdd() if isinstance(node.op, ast.USub) else ast.USub(), True
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool) and change == 0:
        node.value, done = not node.value, True
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float) and change < 2:
        node.value, done = node.value + (1, -1)[change], True
    elif isinstance(node, ast.Name | ast.Attribute) and change == 0:
        field = "id" if isinstance(node, ast.Name) else "attr"
        if getattr(node, field) in NAMES:
            setattr(node, field, NAMES[getattr(node, field)])
            done = True
    elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "range" and change < 2:
        last = 0 if len(node.args) == 1 else 1
        operator = (ast.Add(), ast.Sub())[change]
        node.args[last], done = ast.BinOp(node.args[last], operator, ast.Constant(1)), True
    elif isinstance(node, ast.If | ast.IfExp) and change < 2:
        node.test, done = ast.Constant(bool(change)), True
    if not done and change == 2 and isinstance(node, ast.Assign | ast.AugAssign | ast.Return | ast.Expr):
        done = _drop(tree, node)
        return f"line {node.lineno}: dropped {old}" if done else None
    return f"line {node.lineno}: {old} -> {ast.unparse(node)}" if done else None


def _drop(tree: ast.Module, statement: ast.stmt) -> bool:
    """Put `pass` in a statement's place; a docstring is no statement to drop."""
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return False
    for parent in ast.walk(tree):
        for body in (getattr(parent, field, None) for field in ("body", "orelse")):
            if isinstance(body, list) and statement in body:
                body[body.index(statement)] = ast.copy_location(ast.Pass(), statement)
                return True
    return False
