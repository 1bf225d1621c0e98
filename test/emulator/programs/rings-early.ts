// A driver that does not shake hands: it rings and sends GET_DEVICES at once. No answer may come; the scene must fail.
import { main, step } from './application-core.js';

main((bus) => {
  bus.findLayout();
  step('send GET_DEVICES without a handshake');
  bus.busRequest('GET_DEVICES', 2, [0, 0, 32, 0]);
});
