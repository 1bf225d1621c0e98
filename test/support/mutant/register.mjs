// Runs a program with one place of the sources changed, before tsx sees it:
// VMSG_MUTANT='{"file":"firmware/...","from":"...","to":"..."}' node --import ./test/support/mutant/register.mjs --import tsx ...
import { register } from 'node:module';

register('./hooks.mjs', import.meta.url);
