// The register that starts a scene's second core, as an SSE-200 has it. Renode compiles this file when a scene includes it.
using Antmicro.Renode.Peripherals.Bus;
using Antmicro.Renode.Peripherals.CPU;

namespace Antmicro.Renode.Peripherals.Miscellaneous
{
    // Register  offset
    // CPUWAIT   118      bit 1: CPU 1 waits at its reset
    public class SecondCoreRelease : IDoubleWordPeripheral, IKnownSize
    {
        public SecondCoreRelease(ICPU core)
        {
            this.core = core;
        }

        public void Reset()
        {
            core.IsHalted = true;
        }

        public uint ReadDoubleWord(long offset)
        {
            return offset == CpuWait && core.IsHalted ? Cpu1Waits : 0;
        }

        public void WriteDoubleWord(long offset, uint value)
        {
            if(offset == CpuWait)
            {
                core.IsHalted = (value & Cpu1Waits) != 0;
            }
        }

        public long Size => 0x1000;

        private readonly ICPU core;

        private const long CpuWait = 0x118;
        private const uint Cpu1Waits = 2;
    }
}
