// The hot subset as selectors for no-restricted-syntax: what hot files must not contain, each with the reason.

const hot = (selector, message) => ({ selector, message: `Hot subset: ${message}` });

/** Objects of the language that hot code has no use for. */
const globals = 'Array|ArrayBuffer|BigInt|Boolean|DataView|Date|Function|Infinity|JSON|Map|Math|NaN|Number|Object|Promise|Reflect|RegExp|Set|String|Symbol|arguments|console|globalThis|isFinite|isNaN|parseFloat|parseInt|undefined';

export const hotSyntax = [
  hot(':not(ImportDeclaration, ExportNamedDeclaration, ExportAllDeclaration) > Literal[value=type(string)]', 'no strings.'),
  hot('TemplateLiteral, TaggedTemplateExpression', 'no strings, and templates build them.'),
  hot('Literal[regex]', 'no regular expressions: they allocate.'),
  hot('Literal[bigint]', 'integers of 28 bits only.'),
  hot('Literal[raw="null"]', 'no null: every value is an integer.'),
  hot(':function NewExpression', 'new allocates: make tables at module level.'),
  hot(':function ObjectExpression', 'object literals allocate.'),
  hot(':function ArrayExpression', 'array literals allocate.'),
  hot(':not(NewExpression, :function *) > ArrayExpression', 'tables are typed arrays; a table of functions is an exception that gives its reason in an eslint-disable comment.'),
  hot('ArrowFunctionExpression, FunctionExpression', 'functions are declared, with a name, at module level.'),
  hot(':function FunctionDeclaration', 'no functions inside functions: they are closures.'),
  hot('ClassDeclaration, ClassExpression', 'no classes.'),
  hot('ThisExpression', 'nothing depends on this.'),
  hot('SpreadElement, RestElement', 'no spread and no rest: they allocate.'),
  hot('ObjectPattern, ArrayPattern', 'no destructuring: it allocates.'),
  hot('TryStatement, ThrowStatement', 'no exceptions: return a negative Result.'),
  hot('ForOfStatement, ForInStatement', 'no for-of and for-in: count with for.'),
  hot('AwaitExpression, YieldExpression, :function[async=true], :function[generator=true]', 'nothing waits in the middle of a function.'),
  hot('LabeledStatement', 'no labels.'),
  hot(':not(BinaryExpression[operator="|"][right.value=0]) > BinaryExpression[operator="/"], AssignmentExpression[operator="/="]', 'a division makes fractions: write (a / K) | 0 with a constant K, and see that it is exact.'),
  hot('BinaryExpression[operator="**"], AssignmentExpression[operator="**="]', 'no powers: shift.'),
  hot('BinaryExpression[operator=">>>"], AssignmentExpression[operator=">>>="]', '>>> makes numbers of 32 bits.'),
  hot('BinaryExpression[operator=/^(==|!=)$/]', 'compare with === and !==.'),
  hot('BinaryExpression[operator=/^(in|instanceof)$/], UnaryExpression[operator=/^(typeof|delete|void)$/]', 'every value is an integer.'),
  hot('LogicalExpression[operator="??"], ChainExpression, TSNonNullExpression', 'no value is ever missing.'),
  hot('Literal[value>134217728], :not(UnaryExpression[operator="-"]) > Literal[value>134217727]', 'this number needs more than 28 bits.'),
  hot('Literal[raw=/^[0-9]*[.][0-9]|^[0-9.]+[eE]-/]', 'no fractions.'),
  hot('VariableDeclaration[kind="var"]', 'let or const.'),
  hot(':matches(VariableDeclaration[kind="let"], VariableDeclaration[kind="var"]) > VariableDeclarator[init=null]', 'every variable starts with a value.'),
  hot(':not(ExpressionStatement, ForStatement, ForStatement > SequenceExpression) > AssignmentExpression, ForStatement > AssignmentExpression.test', 'an assignment is a statement of its own.'),
  hot(':not(ExpressionStatement, ForStatement, ForStatement > SequenceExpression) > UpdateExpression, ForStatement > UpdateExpression.test', '++ and -- are statements of their own.'),
  hot(':not(ForStatement) > SequenceExpression, ForStatement > SequenceExpression.test', 'no comma: nothing depends on the order inside one expression.'),
  hot('MemberExpression[computed=false][property.name="length"]', 'no .length: sizes are constants.'),
  hot('CallExpression > MemberExpression[computed=false].callee', 'functions are called by name, not as methods.'),
  hot(`:not(TSEnumMember, MemberExpression) > Identifier[name=/^(${globals})$/], MemberExpression > Identifier[name=/^(${globals})$/].object`, 'this object of the language is not for hot code.'),
  hot(':function > AssignmentPattern, :function > Identifier[optional=true]', 'no optional and no default parameters.'),
  hot('TSEnumDeclaration[const=false]', 'enums are const: others are objects.'),
  hot('SwitchCase[test=null]:not(:last-child)', 'default is the last entry of its switch.'),
];
