// The suite's bus as an app for `vmsg serve`, in profile A; `--profile` makes it B or C.
import { specimenApp } from './specimen.js';

export default specimenApp({ profile: 'A', strict: false });
