using Overlay.Crypto;
using Overlay.Engine;
using Overlay.Interop;
using Overlay.Metadata.Protocol;
using Xunit;

namespace Overlay.Tests.Engine;

public sealed unsafe class CounterTableTests
{
    /// <summary>One test: there is one table a process.</summary>
    [Fact]
    public void Children_count_in_slots_of_their_own_until_there_is_none()
    {
        try
        {
            var fd = CounterTable.Make();
            Assert.True(fd >= 0);
            Assert.Equal(-1, Kernel.SetLength(fd, 0)); // sealed
            _ = Kernel.Close(fd);
            var parent = ProcessCounters.Current;
            Assert.Equal(1ul, parent->IsTaken);
            ProcessCounters.CountOpen(41);
            Assert.Equal(41ul, parent->OpenFiles);

            Assert.Equal(1, CounterTable.TakeSlot());
            Assert.True(ProcessCounters.Current == parent + 1);
            Assert.Equal(0ul, ProcessCounters.Current->OpenFiles);
            CounterTable.GiveBack(1);
            Assert.True(ProcessCounters.Current == null);
            for (var i = 1; i < CounterSlots.Count; i++)
                Assert.Equal(i, CounterTable.TakeSlot());
            Assert.Equal(CounterTable.NoSlot, CounterTable.TakeSlot());
            Assert.True(ProcessCounters.Current == null);
        }
        finally
        {
            ProcessCounters.Current = null;
        }
    }
}
