// Answers each doorbell with one; logs code 10 after its first answer and code 11 after its last.
// The test defines `ring` and `take`: rings the other core; acknowledges the own doorbell, not 0 when it had rung.
(function () {
  var idle = native.idle, log = native.log;
  var bytes = new Uint8Array(native.memory(0));
  function serve() {
    var served = 0;
    while (served < 1001) {
      if (idle(1000000) !== 0 && take() !== 0) {
        served++;
        bytes[64]++;
        ring();
        if (served === 1) {
          log(10, served);
        }
      }
    }
    log(11, served);
  }
  serve();
  native.exit(0);
})();
