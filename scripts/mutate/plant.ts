/**
 * Small bugs that can be planted in a file, found by its syntax tree: each is one change of a few characters that
 * still parses. Types are of no account: the tests are run without checking them.
 *
 * @module
 */
import ts from "typescript";

/** What kind of bug it is. */
export type Kind =
  | "boundary"
  | "comparison"
  | "condition"
  | "logic"
  | "arithmetic"
  | "constant"
  | "statement"
  | "arguments"
  | "await"
  | "default"
  | "sql";

/** A bug: bytes of the text from start to end are replaced. */
export interface Bug {
  kind: Kind;
  start: number;
  end: number;
  text: string;
  /** Line of its start, from 1. */
  line: number;
}

const boundaries: Record<string, string> = { "<": "<=", "<=": "<", ">": ">=", ">=": ">" };
const comparisons: Record<string, string> = { "===": "!==", "!==": "===" };
const logic: Record<string, string> = { "&&": "||", "||": "&&" };
const arithmetic: Record<string, string> = {
  "+": "-",
  "-": "+",
  "*": "/",
  "/": "*",
  "%": "*",
  "&": "|",
  "|": "&",
  "<<": ">>",
  ">>": "<<",
  ">>>": "<<",
  "+=": "-=",
  "-=": "+=",
  "|=": "&=",
  "&=": "|=",
};

/** Calls that say something to people only; without them nothing else changes. */
const talk =
  /^(?:\w+\.)*(?:this\.)?(?:#?log|console|progress|say|tell)\b|^countPanic\(|\.inc\(|\.observe\(|unrefTimer/;

/** Words that a statement of SQL has. */
const sqlWords = /\b(?:SELECT|INSERT|UPDATE|DELETE|WHERE|ORDER BY|FROM|LIMIT|SET|AND)\b/;

/** Small changes of SQL: what is found, and what stands there then. */
const sqlChanges: readonly (readonly [RegExp, string])[] = [
  [/(?<![<>])>=/g, ">"],
  [/(?<![<>])<=/g, "<"],
  [/(?<![-<>=|])>(?![>=])/g, ">="],
  [/(?<![-<>=|])<(?![<>=])/g, "<="],
  [/!=/g, "="],
  [/ DESC\b/g, ""],
  [/\bAND\b/g, "OR"],
  [/\bOR\b(?! (?:IGNORE|REPLACE))/g, "AND"],
  [/\bmax\(/g, "min("],
  [/\bmin\(/g, "max("],
  [/ \+ /g, " - "],
  [/ - /g, " + "],
  [/\bNOT (?=EXISTS|IN\b)/g, ""],
  [/(?<=\bIS )NOT (?=NULL)/g, ""],
  [/\bIN \(/g, "NOT IN ("],
];

/** All bugs that can be planted in a file, in the order of their places. */
export function bugsIn(path: string, source: string): Bug[] {
  const file = ts.createSourceFile(path, source, ts.ScriptTarget.Latest, true);
  const bugs: Bug[] = [];
  const add = (kind: Kind, start: number, end: number, text: string) => {
    if (source.slice(start, end) === text) return;
    const line = file.getLineAndCharacterOfPosition(start).line + 1;
    bugs.push({ kind, start, end, text, line });
  };
  const of = (node: ts.Node) => source.slice(node.getStart(file), node.end);
  const replace = (kind: Kind, node: ts.Node, text: string) =>
    add(kind, node.getStart(file), node.end, text);

  const visit = (node: ts.Node): void => {
    // Types, imports, messages of errors, and what is written for people.
    if (ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) {
      return;
    }
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return;
    if (ts.isExpressionStatement(node) && talk.test(of(node))) return;
    if (ts.isBinaryExpression(node)) binary(node);
    else if (ts.isIfStatement(node)) {
      replace("condition", node.expression, `!(${of(node.expression)})`);
    } else if (ts.isConditionalExpression(node)) {
      replace("condition", node.condition, `!(${of(node.condition)})`);
    } else if (ts.isNumericLiteral(node)) {
      if (!ts.isPropertyAssignment(node.parent) || node.parent.name !== node) {
        const n = Number(node.text);
        // A limit that is off by one shows in few tests that are worth having; one ten times as high is none.
        replace("constant", node, `${n < 100 ? n + 1 : n * 10}`);
      }
    } else if (node.kind === ts.SyntaxKind.TrueKeyword) replace("constant", node, "false");
    else if (node.kind === ts.SyntaxKind.FalseKeyword) replace("constant", node, "true");
    else if (ts.isAwaitExpression(node)) replace("await", node, `(${of(node.expression)})`);
    else if (isRemovable(node)) replace("statement", node, ";");
    else if (ts.isCallExpression(node)) call(node);
    if (
      ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node) ||
      ts.isTemplateHead(node) || ts.isTemplateMiddle(node) || ts.isTemplateTail(node)
    ) sql(node);
    ts.forEachChild(node, visit);
  };

  const binary = (node: ts.BinaryExpression): void => {
    const operator = of(node.operatorToken);
    const swap = (kind: Kind, table: Record<string, string>) => {
      if (operator in table) replace(kind, node.operatorToken, table[operator]);
    };
    swap("boundary", boundaries);
    swap("comparison", comparisons);
    swap("logic", logic);
    // Texts are put together by the same sign.
    const texts = [node.left, node.right].some((n) => /^["'`]/.test(of(n)));
    if (!texts) swap("arithmetic", arithmetic);
    if (operator === "??") replace("default", node, `(${of(node.left)})`);
  };

  const call = (node: ts.CallExpression): void => {
    const [a, b] = node.arguments;
    if (!a || !b || of(a) === of(b) || ts.isArrowFunction(a) || ts.isArrowFunction(b)) return;
    // SQL and its first parameter, or a format and its value, in the other order fail at once.
    if (/^["'`]/.test(of(a)) || ts.isSpreadElement(a) || ts.isSpreadElement(b)) return;
    add("arguments", a.getStart(file), b.end, `${of(b)}, ${of(a)}`);
  };

  const sql = (node: ts.Node): void => {
    // A statement is often written in several texts, one to a line.
    let whole: ts.Node = node;
    while (ts.isBinaryExpression(whole.parent) || ts.isTemplateExpression(whole.parent)) {
      whole = whole.parent;
    }
    if (ts.isTemplateSpan(whole.parent)) whole = whole.parent.parent;
    if (!sqlWords.test(of(whole)) || ts.isThrowStatement(whole.parent)) return;
    const start = node.getStart(file);
    const text = of(node);
    for (const [pattern, becomes] of sqlChanges) {
      for (const m of text.matchAll(pattern)) {
        add("sql", start + m.index, start + m.index + m[0].length, becomes);
      }
    }
  };

  visit(file);
  return bugs.sort((a, b) => a.start - b.start || a.end - b.end);
}

/** A statement that can be left out, and the rest still parses. */
function isRemovable(node: ts.Node): boolean {
  if (ts.isExpressionStatement(node)) {
    return !(ts.isCallExpression(node.expression) &&
      node.expression.expression.kind === ts.SyntaxKind.SuperKeyword);
  }
  if (ts.isContinueStatement(node) || ts.isBreakStatement(node)) return true;
  return ts.isThrowStatement(node) || ts.isReturnStatement(node) && node.expression === undefined;
}
