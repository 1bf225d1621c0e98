// A lint rule: a comment that switches a lint rule off says why, behind two dashes.

export const directiveReason = {
  meta: { type: 'problem', schema: [], docs: { description: 'eslint-disable comments give a reason.' } },
  create(context) {
    return {
      Program() {
        for (const comment of context.sourceCode.getAllComments()) {
          const directive = /^\s*eslint-disable(-next-line|-line)?(?<rest>.*)$/s.exec(comment.value);
          if (directive !== null && !/\s-{2,}\s+\S/.test(directive.groups.rest)) {
            context.report({ loc: comment.loc, message: 'Say why the rule is off here: eslint-disable-next-line rule -- reason.' });
          }
        }
      },
    };
  },
};
