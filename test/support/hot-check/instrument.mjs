// Rewrites a hot file so that every number it computes, reads, writes or gets from a call passes a check, then transpiles it.
import ts from 'typescript';

const { factory, SyntaxKind } = ts;

/** The name under which a rewritten file finds its checks; no source uses it. */
const checksName = '__hotChecks';

/** Operators whose result is a number; on the left the assignment, on the right what it computes. */
const compound = new Map([
  [SyntaxKind.PlusEqualsToken, SyntaxKind.PlusToken],
  [SyntaxKind.MinusEqualsToken, SyntaxKind.MinusToken],
  [SyntaxKind.AsteriskEqualsToken, SyntaxKind.AsteriskToken],
  [SyntaxKind.SlashEqualsToken, SyntaxKind.SlashToken],
  [SyntaxKind.PercentEqualsToken, SyntaxKind.PercentToken],
  [SyntaxKind.AmpersandEqualsToken, SyntaxKind.AmpersandToken],
  [SyntaxKind.BarEqualsToken, SyntaxKind.BarToken],
  [SyntaxKind.CaretEqualsToken, SyntaxKind.CaretToken],
  [SyntaxKind.LessThanLessThanEqualsToken, SyntaxKind.LessThanLessThanToken],
  [SyntaxKind.GreaterThanGreaterThanEqualsToken, SyntaxKind.GreaterThanGreaterThanToken],
  [SyntaxKind.GreaterThanGreaterThanGreaterThanEqualsToken, SyntaxKind.GreaterThanGreaterThanGreaterThanToken],
]);
const arithmetic = new Set(compound.values());

/** The JavaScript of a hot file with checks. `name` is how errors call the file. */
export function instrument(text, name) {
  const places = [];
  const transformer = (context) => (source) => {
    const place = (node) => {
      const { line, character } = source.getLineAndCharacterOfPosition(node.getStart(source));
      return factory.createNumericLiteral(places.push(`${name}:${line + 1}:${character + 1}`) - 1);
    };
    const call = (check, node, ...args) =>
      factory.createCallExpression(factory.createPropertyAccessExpression(factory.createIdentifier(checksName), check), undefined, [...args, place(node)]);
    const visit = (node) => ts.visitNode(node, rewrite);
    const unwrapped = (node) => (ts.isParenthesizedExpression(node) ? unwrapped(node.expression) : node);

    /** target = compute(old value of target) */
    const updated = (node, target, compute) => {
      if (ts.isElementAccessExpression(target)) {
        const old = factory.createUniqueName('old');
        const change = factory.createArrowFunction(undefined, undefined, [factory.createParameterDeclaration(undefined, undefined, old)], undefined, undefined, call('number', node, compute(old)));
        return call('update', node, visit(target.expression), visit(target.argumentExpression), change);
      }
      return factory.createParenthesizedExpression(factory.createAssignment(visit(target), call('number', node, compute(visit(target)))));
    };
    const binary = (left, operator, right) => factory.createParenthesizedExpression(factory.createBinaryExpression(left, operator, right));

    const rewrite = (node) => {
      // Types and enums hold no run-time arithmetic.
      if (ts.isTypeNode(node) || ts.isEnumDeclaration(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) {
        return node;
      }
      if (ts.isBinaryExpression(node)) {
        const operator = node.operatorToken.kind;
        if (arithmetic.has(operator)) {
          return call('number', node, binary(visit(node.left), operator, visit(node.right)));
        }
        const target = unwrapped(node.left);
        if (compound.has(operator)) {
          return updated(node, target, (old) => binary(old, compound.get(operator), visit(node.right)));
        }
        if (operator === SyntaxKind.EqualsToken && ts.isElementAccessExpression(target)) {
          return call('write', target, visit(target.expression), visit(target.argumentExpression), visit(node.right));
        }
      }
      if (ts.isPrefixUnaryExpression(node) && (node.operator === SyntaxKind.MinusToken || node.operator === SyntaxKind.TildeToken || node.operator === SyntaxKind.PlusToken)) {
        return call('number', node, factory.createPrefixUnaryExpression(node.operator, factory.createParenthesizedExpression(visit(node.operand))));
      }
      if ((ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) && (node.operator === SyntaxKind.PlusPlusToken || node.operator === SyntaxKind.MinusMinusToken)) {
        const up = node.operator === SyntaxKind.PlusPlusToken;
        const one = factory.createNumericLiteral(1);
        const next = updated(node, unwrapped(node.operand), (old) => binary(old, up ? SyntaxKind.PlusToken : SyntaxKind.MinusToken, one));
        // The old value is what a postfix form means where somebody looks at it.
        return ts.isPostfixUnaryExpression(node) ? binary(next, up ? SyntaxKind.MinusToken : SyntaxKind.PlusToken, one) : next;
      }
      if (ts.isElementAccessExpression(node)) {
        return call('element', node, visit(node.expression), visit(node.argumentExpression));
      }
      if (ts.isCallExpression(node)) {
        return call('result', node, ts.visitEachChild(node, rewrite, context));
      }
      return ts.visitEachChild(node, rewrite, context);
    };
    return ts.visitEachChild(source, rewrite, context);
  };
  const { outputText } = ts.transpileModule(text, {
    fileName: name,
    // Enums stay objects: other modules import them as such when each file is transpiled by itself.
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, isolatedModules: true, preserveConstEnums: true, inlineSourceMap: true, inlineSources: true },
    transformers: { before: [transformer] },
  });
  // On the first line, so that the lines of the source map stay right.
  return `const ${checksName} = globalThis.hotCheck.file(${JSON.stringify(name)}, ${JSON.stringify(places)}); ${outputText}`;
}
