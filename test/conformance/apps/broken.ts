// The suite's bus with planted faults, as an app for `vmsg serve`: a device that the suite must refuse.
import { attachBroken, writeBroken, writtenBroken } from './broken.hot.js';
import { specimenApp } from './specimen.js';

export default specimenApp({ profile: 'A', strict: true }, { attach: attachBroken, writeConfig: writeBroken, configWritten: writtenBroken });
