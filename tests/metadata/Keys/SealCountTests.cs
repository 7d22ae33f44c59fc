using Overlay.Metadata.Agent;
using Overlay.Metadata.Keys;
using Overlay.Metadata.Tests.Support;
using Xunit;

namespace Overlay.Metadata.Tests.Keys;

public class SealCountTests
{
    [Fact]
    public void Seals_of_every_note_are_added_up_whatever_their_sequence()
    {
        using var volume = new TestVolume();
        var (ids, _) = KeyRotationTests.MakeFiles(volume, 2);
        using var unlocked = volume.Unlock();
        using (var pool = new KeyPool(unlocked))
        {
            pool.NoteState(ids[0], 5, 1, 100);
            pool.NoteState(ids[0], 4, 1, 20);
            pool.Flush();
            // An older sequence, behind what is written: its seals count all the same.
            pool.NoteState(ids[0], 3, 2, 3);
            pool.NoteState(ids[1], 1, 2);
            pool.Flush();
        }
        var group = Assert.Single(StoreInventory.ReadGroups(unlocked.Store.Connection));
        Assert.Equal((2, 123, 123), (group.Count, group.Seals, group.MostSeals));
        var row = unlocked.Store.TryFindFile(ids[0])!;
        Assert.Equal((5UL, 1u), (row.Sequence, row.BootWord));
    }

    [Fact]
    public void Seals_come_over_the_wire()
    {
        using var volume = new TestVolume();
        var (ids, _) = KeyRotationTests.MakeFiles(volume, 1);
        using (var agent = new RunningAgent(volume))
        using (var client = agent.Connect())
            client.NoteStates(volume.Config.VolumeId, 1, [new(ids[0], 7, 11), new(ids[0], 8, 22)]);
        using var unlocked = volume.Unlock();
        Assert.Equal(33, Assert.Single(StoreInventory.ReadGroups(unlocked.Store.Connection)).MostSeals);
    }
}
