// Answers each doorbell with one; logs code 10 after its first answer and code 11 after its last.
(function () {
  var idle = native.idle, read = native.registerRead, write = native.registerWrite, log = native.log;
  var bytes = new Uint8Array(native.memory(0));
  function serve() {
    var served = 0;
    while (served < 1001) {
      if (idle(1000000) !== 0) {
        var bits = read(0, 0x10);
        if (bits !== 0) {
          write(0, 0x18, bits, 0);
          served++;
          bytes[64]++;
          write(0, 0x04, 1, 0);
          if (served === 1) {
            log(10, served);
          }
        }
      }
    }
    log(11, served);
  }
  serve();
  native.exit(0);
})();
