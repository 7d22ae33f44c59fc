using System;
using System.Collections.Generic;
using System.Threading;
using Overlay.Files;
using Overlay.Metadata.Protocol;
using Overlay.Tests.Doubles;
using Xunit;

namespace Overlay.Tests.Engine;

/// <summary>Writes under way in shared memory.</summary>
public class RedoTableTests
{
    private const ulong Device = 5, Inode = 77;

    [Fact]
    public void What_was_begun_is_found_until_it_has_ended()
    {
        using SharedTable shared = new();
        using SharedTable.Process one = shared.Join(1), other = shared.Join(1);
        IRedo redo = one.Table.RedoOf(Device, Inode);
        redo.Begin(SealedFixture.FileId, 8192, [1, 2, 3]);
        byte[] page = new byte[RedoRange.Room];
        Assert.True(other.Table.RedoOf(Device, Inode).TryFind(page, out RedoRange range));
        Assert.Equal(new RedoRange(SealedFile.IdOf(SealedFixture.FileId), 8192, 3), range);
        Assert.Equal([1, 2, 3], page[..3]);
        Assert.False(other.Table.RedoOf(Device, Inode + 1).TryFind(page, out _));
        Assert.False(other.Table.RedoOf(Device + 1, Inode).TryFind(page, out _));
        redo.End();
        Assert.False(other.Table.RedoOf(Device, Inode).TryFind(page, out _));
    }

    [Fact]
    public void What_an_earlier_boot_left_counts_no_more()
    {
        using SharedTable shared = new();
        using (SharedTable.Process before = shared.Join(1))
            before.Table.RedoOf(Device, Inode).Begin(SealedFixture.FileId, 0, [1]);
        using SharedTable.Process after = shared.Join(2);
        Assert.False(after.Table.RedoOf(Device, Inode).TryFind(new byte[4096], out _));
    }

    /// <summary>A slot of the dead that is taken for another write is not, at the same moment, taken for what the dead had begun.</summary>
    [Fact]
    public void What_is_given_up_is_found_whole_or_not_at_all()
    {
        using SharedTable shared = new();
        using SharedTable.Process writer = shared.Join(1), reader = shared.Join(1);
        byte[] page = new byte[RedoRange.Room], other = new byte[4096];
        Array.Fill(other, (byte)200);
        for (int round = 0; round < 1000; round++)
        {
            using (SharedTable.Process dead = shared.Join(1))
                for (ulong inode = 0; inode < CoherenceLayout.RedoSlots; inode++)
                {
                    byte[] data = new byte[4096];
                    Array.Fill(data, (byte)(inode + 1));
                    dead.Table.RedoOf(Device, inode).Begin(SealedFixture.FileId, 0, data);
                }
            List<IRedo> taken = [];
            Thread taking = new(() =>
            {
                for (ulong inode = 0; inode < CoherenceLayout.RedoSlots / 2; inode++)
                {
                    IRedo redo = writer.Table.RedoOf(Device, 1000 + inode);
                    redo.Begin(SealedFixture.FileId, 0, other);
                    taken.Add(redo);
                }
            });
            taking.Start();
            for (ulong inode = 0; inode < CoherenceLayout.RedoSlots; inode++)
            {
                IRedo redo = reader.Table.RedoOf(Device, inode);
                if (redo.TryFind(page, out _))
                    Assert.Equal(-1, page.AsSpan(0, 4096).IndexOfAnyExcept((byte)(inode + 1)));
                redo.Drop();
            }
            taking.Join();
            taken.ForEach(redo => redo.End());
        }
    }

    /// <summary>Files that nobody comes to any more do not use up the room.</summary>
    [Fact]
    public void Slots_of_the_dead_are_taken_where_none_is_free()
    {
        using SharedTable shared = new();
        using (SharedTable.Process dead = shared.Join(1))
            for (ulong inode = 0; inode < CoherenceLayout.RedoSlots; inode++)
                dead.Table.RedoOf(Device, inode).Begin(SealedFixture.FileId, 0, [1]);
        using SharedTable.Process one = shared.Join(1);
        HashSet<ulong> left = [];
        for (ulong inode = 1000; inode < 1000 + CoherenceLayout.RedoSlots / 2; inode++)
            one.Table.RedoOf(Device, inode).Begin(SealedFixture.FileId, 0, [2]);
        for (ulong inode = 0; inode < CoherenceLayout.RedoSlots; inode++)
            if (one.Table.RedoOf(Device, inode).TryFind(new byte[4096], out _))
                left.Add(inode);
        Assert.Equal(CoherenceLayout.RedoSlots / 2, left.Count);
        for (ulong inode = 1000; inode < 1000 + CoherenceLayout.RedoSlots / 2; inode++)
            Assert.True(one.Table.RedoOf(Device, inode).TryFind(new byte[4096], out _));
    }
}
