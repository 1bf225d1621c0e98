// Finds the unit tests that prove requirements: their names begin with the numbers.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

export interface NamedTest {
  /** Relative to the folder of tests, without `.test.ts`. */
  readonly file: string;
  readonly name: string;
  readonly requirements: readonly string[];
}

/** The requirement numbers at the beginning of a test's name. */
export function numbersOf(name: string): string[] {
  return /^(?:(?:R-\d{3}|S-\d{2}) )+/.exec(name)?.[0].trim().split(' ') ?? [];
}

/** What is certain of a test's name: all of it, or what stands before its first substitution or sum. */
function nameOf(argument: ts.Expression | undefined): string | undefined {
  if (argument === undefined) {
    return undefined;
  }
  if (ts.isBinaryExpression(argument)) {
    return nameOf(argument.left);
  }
  if (ts.isTemplateExpression(argument)) {
    return argument.head.text;
  }
  return ts.isStringLiteralLike(argument) ? argument.text : undefined;
}

/** True for `test(name, ...)` and `it(name, ...)`; not for `test.skip`, `test.todo`, nor with the options `skip` or `todo`. */
function isTest(call: ts.CallExpression): boolean {
  const skipped = (argument: ts.Expression): boolean =>
    ts.isObjectLiteralExpression(argument) && argument.properties.some((property) => property.name !== undefined && /^(skip|todo)$/.test(property.name.getText()));
  return ts.isIdentifier(call.expression) && /^(test|it)$/.test(call.expression.text) && !call.arguments.some(skipped);
}

function each(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => each(child, visit));
}

/** Functions of a file that make a test whose name begins with their first parameter, as `expectRefused(name, ...)` does. */
function testMakers(source: ts.SourceFile): Set<string> {
  const makers = new Set<string>();
  each(source, (node) => {
    const parameter = ts.isFunctionDeclaration(node) ? node.parameters[0]?.name.getText() : undefined;
    if (!ts.isFunctionDeclaration(node) || node.name === undefined || parameter === undefined) {
      return;
    }
    const { text } = node.name;
    each(node, (inner) => {
      if (ts.isCallExpression(inner) && isTest(inner)) {
        let first = inner.arguments[0];
        while (first !== undefined && ts.isBinaryExpression(first)) {
          first = first.left;
        }
        const template = first !== undefined && ts.isTemplateExpression(first) && first.head.text === '' ? first.templateSpans[0]?.expression : undefined;
        if ((template ?? first)?.getText() === parameter) {
          makers.add(text);
        }
      }
    });
  });
  return makers;
}

/** The named tests in one source file's text. */
export function testsIn(text: string, file: string): NamedTest[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const makers = testMakers(source);
  const found: NamedTest[] = [];
  each(source, (node) => {
    if (ts.isCallExpression(node) && (isTest(node) || (ts.isIdentifier(node.expression) && makers.has(node.expression.text)))) {
      const name = nameOf(node.arguments[0]);
      const requirements = numbersOf(`${name ?? ''} `);
      if (name !== undefined && requirements.length > 0) {
        found.push({ file, name, requirements });
      }
    }
  });
  return found;
}

/** All named tests below a folder, by file. */
export function namedTests(folder: string): NamedTest[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .sort()
    .flatMap((file) => testsIn(readFileSync(path.join(folder, file), 'utf8'), file.replace(/\.test\.ts$/, '').split(path.sep).join('/')));
}
