using System;
using System.Collections.Generic;
using Overlay.Files;
using Overlay.Tests.Doubles;
using Xunit;
using Xunit.Sdk;

namespace Overlay.Tests.Files;

/// <summary>Sequences of operations that between them reach every step of the write path, and what must be found after a fault.</summary>
internal static class Scenario
{
    internal static byte[] Padded(byte[] bytes, int start, int count)
    {
        byte[] padded = new byte[count];
        if (start < bytes.Length)
            bytes.AsSpan(start, Math.Min(count, bytes.Length - start)).CopyTo(padded);
        return padded;
    }

    internal static IEnumerable<(string Name, Step[] Steps)> All(int blockSize)
    {
        int group = 29 * blockSize;
        yield return ("inline", [
            Write(0, 100, 1), Write(100, 50, 2), Sync(), Write(20, 10, 3), Settle(), Write(150, 3434, 4), Write(3584, 1, 5),
            Settle(), Resize(10), Settle(), Resize(0), Write(0, 30, 6), Settle()]);
        yield return ("growing", [
            Write(0, 3000, 1), Sync(), Write(3000, 3 * blockSize, 2), Write(blockSize, blockSize, 3), Sync(), Settle(),
            Write(10, 2 * blockSize, 4), Resize(blockSize + 7), Resize(4 * blockSize), Settle()]);
        yield return ("groups", [
            Write(group - 10, 20, 1), Write(group + 3 * blockSize, blockSize + 5, 2), Sync(), Write(2 * group - blockSize, 2 * blockSize, 3),
            Resize(group + 5), Resize(2 * group + 100), Write(group + 7, 100, 4), Punch(0, 2 * group), Settle(), Write(5, 5, 5)]);
        yield return ("holes", [
            Write(0, 6 * blockSize, 1), Sync(), Punch(blockSize + 1, 3 * blockSize), Write(2 * blockSize, 10, 2), Settle(),
            Punch(0, 6 * blockSize), Sync(), Write(3, 3, 3), Settle(), Resize(0), Resize(blockSize), Settle()]);
        yield return ("appending", [
            Append(100, 1), Append(3000, 2), Sync(), Append(2 * blockSize + 5, 3), Append(group, 4), Settle(), Append(blockSize, 5), Sync(),
            Append(7, 6), Settle()]);
        yield return ("beyond", [
            Write(0, 10, 1), Write(5 * blockSize, 100, 2), Write(group, 100, 3), Resize(2 * group + 5 * blockSize),
            Write(2 * group + 9 * blockSize, 9, 4), Resize(3 * group), Settle()]);
        yield return ("rekey", [
            Write(0, 3 * blockSize, 1), Write(group + 10, blockSize, 2), Sync(), Write(blockSize + 5, 50, 3), Rekey(1), Write(5, 100, 4), Rekey(2),
            Punch(blockSize, blockSize), Append(blockSize, 5), Rekey(), Write(7, 3, 6), Resize(blockSize + 1), Settle(), Resize(0), Append(30, 7), Settle()]);
        yield return ("rekey of one page", [Write(0, 100, 1), Sync(), Write(50, 100, 2), Rekey(), Append(9, 3), Sync(), Append(7, 4), Settle()]);
        int unit = Math.Max(4096, blockSize / 4);
        yield return ("units", [
            Write(0, 4 * blockSize, 1), Write(blockSize + 100, 50, 2), Sync(), Write(blockSize + unit, unit, 3), Write(blockSize + 10, 30, 4),
            Write(blockSize + unit, unit, 5), Sync(), Write(blockSize, 10, 6), Write(blockSize + unit + 7, 2 * unit, 7), Write(blockSize, 20, 8),
            Write(blockSize, blockSize, 9), Write(2 * blockSize - 5, 10, 10), Settle(), Write(3 * blockSize - unit, unit + 6, 11), Sync(),
            Write(blockSize + 3, 3, 12), Settle()]);
        // Of whole blocks, before and after they are durable; each unit more often than there are places.
        yield return ("bases", [
            Write(0, 5 * blockSize, 1), Write(unit, unit, 2), Write(blockSize + 10, 50, 3), Write(blockSize + unit, 2 * unit, 4), Write(unit, unit, 5),
            Write(unit + 7, 70, 6), Write(2 * blockSize + 5, unit, 7), Sync(), Write(unit, unit, 8), Write(unit, unit, 9), Write(unit + 9, 9, 10),
            Write(blockSize, blockSize, 11), Write(blockSize, blockSize, 12), Write(2 * blockSize, blockSize - 5, 13), Punch(2 * blockSize + 100, unit),
            Settle(), Sync(), Write(3 * blockSize, unit, 14), Write(3 * blockSize + unit, unit, 15), Write(3 * blockSize + 2 * unit, unit, 16),
            Write(4 * blockSize - 9, 14, 17), Write(4 * blockSize, unit, 18), Resize(4 * blockSize + unit + 7), Settle(), Resize(0)]);
        yield return ("bases and a new key", [
            Write(0, 3 * blockSize, 1), Write(unit, unit, 2), Write(blockSize + 5, 9, 3), Rekey(1), Write(unit + 5, unit, 4), Write(blockSize, unit, 5),
            Write(2 * blockSize, unit, 6), Sync(), Write(2 * blockSize, unit, 7), Write(2 * blockSize, unit, 8), Rekey(), Write(5, 5, 9), Settle()]);
        yield return ("units and a new key", [
            Write(0, 3 * blockSize, 1), Write(blockSize + 100, 50, 2), Sync(), Write(10, 30, 3), Write(blockSize + unit, 20, 4), Rekey(0),
            Write(blockSize + 7, 9, 5), Write(7, 9, 6), Sync(), Write(unit + 7, 9, 7), Rekey(), Write(blockSize + 8, 3, 8), Settle()]);
        yield return ("units at the end", [
            Write(0, blockSize + 10, 1), Append(unit, 2), Append(40, 3), Sync(), Append(unit, 4), Resize(blockSize + unit + 100), Append(9, 5), Sync(),
            Write(blockSize + 5, unit, 6), Punch(blockSize + 50, unit), Append(2 * unit, 7), Resize(blockSize + 3), Resize(2 * blockSize - 3), Append(30, 8),
            Settle(), Resize(0), Append(3 * unit, 9), Settle()]);
        yield return ("an end that is put in order at once", [
            Append(2 * unit, 1), Append(700, 2), Append(unit, 3), Write(5, 9, 4), Append(77, 5), Settle(), Append(unit, 6), Sync(), Append(30, 7), Settle(),
            Resize(0), Append(unit + 7, 8), Append(blockSize - 7, 9), Append(blockSize + 512, 10), Append(9, 11), Sync(), Append(8, 12), Settle()]);
        yield return ("a head that is written again", [
            Append(512, 1), Append(4, 2), Append(2 * unit, 3), SyncData(), Write(0, 12, 4), SyncData(), Write(0, 12, 5), Write(3, 12, 6), Settle()]);
        yield return ("room made ready", [
            Write(0, 12 * blockSize, 1), SyncData(), Write(7, unit, 2), SyncData(), Write(5 * blockSize, 50, 3), SyncData(),
            Write(3 * blockSize + 100, 50, 4), SyncData(), Write(9 * blockSize, unit, 5), Write(9 * blockSize + 7, unit, 6), SyncData(),
            Write(2 * blockSize + 5, 60, 7), SyncData(), Write(7 * blockSize + 10, 2 * blockSize, 8), Write(blockSize, 100, 9), Write(blockSize + 50, 100, 10), SyncData(), Append(blockSize, 11), SyncData(), Append(100, 12), SyncData(),
            Write(8, 20, 13), Punch(blockSize, blockSize), SyncData(), Resize(4 * blockSize + 5), Settle()]);
    }

    /// <summary>As O_APPEND does it: where the file ends now.</summary>
    private static Step Append(int count, int seed)
    {
        byte[] data = SomeData(count, seed);
        return new Step($"append {count}", file => WriteFully(file, file.Length, data), model => [.. model, .. data]) { IsAppend = true };
    }

    private static Step Write(int offset, int count, int seed)
    {
        byte[] data = SomeData(count, seed);
        return new Step($"write {offset} {count}", file => WriteFully(file, offset, data), model =>
        {
            byte[] next = Padded(model, 0, Math.Max(model.Length, offset + count));
            data.CopyTo(next, offset);
            return next;
        });
    }

    private static byte[] SomeData(int count, int seed)
    {
        byte[] data = new byte[count];
        Random random = new(seed);
        // Halves that shrink and halves that do not.
        for (int start = 0; start < count; start += 8192)
            random.NextBytes(data.AsSpan(start, Math.Min(3000, count - start)));
        data.AsSpan().Replace((byte)0, (byte)seed);
        return data;
    }

    private static void WriteFully(SealedFile file, long offset, byte[] data)
    {
        int written = file.WriteAt(offset, data);
        if (written == 0)
            throw new XunitException("nothing was written, without an error");
    }

    private static Step Resize(int length) => new($"resize {length}", file => file.Resize(length), model => Padded(model, 0, length));

    private static Step Punch(int offset, int count) => new($"punch {offset} {count}", file => file.Punch(offset, count), model =>
    {
        byte[] next = (byte[])model.Clone();
        int start = Math.Min(offset, next.Length);
        next.AsSpan(start, Math.Min(count, next.Length - start)).Clear();
        return next;
    });

    private static Step SyncData() => new("sync of data", file => file.Sync(dataOnly: true), model => model);

    private static Step Sync() => new("sync", file => file.Sync(dataOnly: false), model => model);

    /// <param name="least">How much is sealed anew before something else happens; by default all.</param>
    private static Step Rekey(int least = int.MaxValue) => new($"rekey {least}", file =>
    {
        RekeyWalk walk = file.StartRekey(SealedFixture.NextKey);
        for (int done = 0; done < least && file.Reseal(walk); done++)
        {
        }
        if (least == int.MaxValue)
            file.EndRekey(walk);
    }, model => model);

    private static Step Settle() => new("settle", file => file.Settle(), model => model);

    /// <summary>What is there now, after it was found to consist of old and new blocks.</summary>
    internal static byte[] CheckOldOrNew(SealedFile file, int blockSize, byte[] before, byte[] after)
    {
        int length = (int)file.Length;
        Assert.InRange(length, Math.Min(before.Length, after.Length), Math.Max(before.Length, after.Length));
        byte[] actual = file.ReadBytes(0, length + 1);
        Assert.Equal(length, actual.Length);
        for (int start = 0; start < length; start += blockSize)
        {
            int count = Math.Min(blockSize, length - start);
            ReadOnlySpan<byte> block = actual.AsSpan(start, count);
            if (!block.SequenceEqual(Padded(before, start, count)) && !block.SequenceEqual(Padded(after, start, count)))
                throw new XunitException($"block {start / blockSize} is neither old nor new (size {length}, was {before.Length}, should be {after.Length})");
        }
        return actual;
    }

    internal static void CheckSame(SealedFile file, byte[] model)
    {
        Assert.Equal(model.Length, file.Length);
        byte[] actual = file.ReadBytes(0, model.Length + 1);
        int same = actual.AsSpan().CommonPrefixLength(model);
        if (same < model.Length || actual.Length != model.Length)
            throw new XunitException($"differs at {same} of {model.Length}");
    }
}
