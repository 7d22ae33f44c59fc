using System;
using System.Collections.Generic;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Format;
using Overlay.Tests.Doubles;
using Xunit;
using Xunit.Sdk;

namespace Overlay.Tests.Files;

/// <summary>A backing file that fails once, at every call of a scenario in turn: nothing but that call's effect is lost.</summary>
public class FaultTests
{
    private const int EDQUOT = 122;

    /// <summary>One operation: on the sealed file, and on a plain array (which is replaced where the size changes).</summary>
    private sealed record Step(string Name, Action<SealedFile> Do, Func<byte[], byte[]> Model)
    {
        /// <summary>It either grows the file and says by how much, or fails and leaves the size: who tries again must not do it twice.</summary>
        public bool IsAppend { get; init; }
    }

    public static TheoryData<int, bool, int, bool, bool> Modes()
    {
        TheoryData<int, bool, int, bool, bool> modes = [];
        foreach (int blockSizeLog2 in new[] { 12, 14 })
            foreach (bool compresses in new[] { false, true })
                foreach (bool reopens in new[] { false, true })
                {
                    modes.Add(blockSizeLog2, compresses, Errno.EIO, false, reopens);
                    modes.Add(blockSizeLog2, compresses, Errno.ENOSPC, true, reopens);
                }
        foreach (bool compresses in new[] { false, true })
        {
            modes.Add(12, compresses, EDQUOT, true, false);
            modes.Add(12, compresses, EDQUOT, false, true);
            modes.Add(12, compresses, Errno.EINTR, false, false);
            modes.Add(12, compresses, Errno.EIO, true, false);
        }
        return modes;
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public void Every_call_may_fail(int blockSizeLog2, bool compresses, int errno, bool isPersistent, bool reopens)
    {
        Recipe recipe = new(CipherSuite.Aes256Gcm, compresses, blockSizeLog2);
        foreach ((string name, Step[] steps) in Scenarios(recipe.BlockSize))
            for (int call = 1; RunWithFault(recipe, name, steps, call, errno, isPersistent, reopens, failsAgain: false); call++)
            {
            }
    }

    [Theory]
    [InlineData(12, false)]
    [InlineData(12, true)]
    [InlineData(14, true)]
    public void What_repairs_may_fail_too(int blockSizeLog2, bool compresses)
    {
        Recipe recipe = new(CipherSuite.Aes256Gcm, compresses, blockSizeLog2);
        foreach ((string name, Step[] steps) in Scenarios(recipe.BlockSize))
            for (int call = 1; RunWithFault(recipe, name, steps, call, Errno.ENOSPC, isPersistent: call % 3 == 0, reopens: false, failsAgain: true); call++)
            {
            }
    }

    /// <summary>A full disk that cannot be read either: the program is told what went wrong first, and how much was written before.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_first_fault_is_the_one_reported(bool compresses)
    {
        Recipe recipe = new(CipherSuite.Aes256Gcm, compresses, 12);
        foreach ((string name, Step[] steps) in Scenarios(recipe.BlockSize))
            for (int call = 1; RunWithFault(recipe, name, steps, call, Errno.ENOSPC, isPersistent: true, reopens: false, failsAgain: false, Errno.EIO); call++)
            {
            }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Memory_may_run_out(bool compresses)
    {
        Recipe recipe = new(CipherSuite.Aes256Gcm, compresses, 12);
        foreach ((string name, Step[] steps) in Scenarios(recipe.BlockSize))
            for (int call = 1; RunWithFault(recipe, name, steps, call, 0, isPersistent: false, reopens: false, failsAgain: false); call++)
            {
            }
    }

    /// <summary>The key is in the agent's hands by then; the file stays newborn, and the next one to come makes it a sealed one.</summary>
    [Theory]
    [InlineData(Errno.ENOSPC)]
    [InlineData(EDQUOT)]
    [InlineData(Errno.EIO)]
    public void Creation_may_fail(int errno)
    {
        Recipe recipe = new(CipherSuite.Aes256Gcm, true, 12);
        FaultyBacking backing = new() { FaultErrno = errno, FailAt = 1 };
        Assert.Equal(errno, Assert.Throws<ErrnoException>(() => SealedFixture.Create(recipe, backing)).Errno);
        OpenResult result = SealedFile.Open(new SealedFixture(recipe, backing).Context, new FixedKeys(SealedFixture.SecretKey), out _);
        Assert.Equal(OpenStatus.Newborn, result.Status);
        using SealedFile file = SealedFixture.Create(recipe, backing).Open();
        Assert.Equal(0, file.Length);
    }

    /// <summary>False if the scenario has fewer calls.</summary>
    /// <param name="errno">0: memory runs out.</param>
    private static bool RunWithFault(
        Recipe recipe, string scenario, Step[] steps, int call, int errno, bool isPersistent, bool reopens, bool failsAgain, int? laterErrno = null)
    {
        FaultyBacking backing = new()
        {
            FaultErrno = errno, LaterErrno = laterErrno, RunsOutOfMemory = errno == 0, IsPersistent = isPersistent, WritesPartly = call % 2 == 0,
        };
        SealedFixture fixture = SealedFixture.Create(recipe, backing);
        SealedFile file = fixture.Open();
        backing.FailAt = backing.Calls + call;
        byte[] model = [];
        string where = "";
        try
        {
            foreach (Step step in steps)
            {
                where = $"{recipe} {scenario}, call {call}: {step.Name}";
                int failures = backing.Failures;
                byte[] next = step.Model(model);
                bool isRefused = false;
                try
                {
                    step.Do(file);
                }
                catch (Exception exception) when (backing.Failures > failures && (exception is ErrnoException known ? known.Errno == errno : exception is OutOfMemoryException && errno == 0))
                {
                    isRefused = true;
                }
                backing.IsSuspended = true;
                if (isRefused && step.IsAppend)
                    Assert.Equal(model.Length, file.Length);
                bool hasFailed = backing.Failures > failures;
                if (hasFailed && reopens)
                {
                    file.Dispose();
                    file = fixture.Open();
                }
                model = hasFailed ? CheckOldOrNew(file, recipe.BlockSize, model, next) : next;
                CheckSame(file, model);
                if (hasFailed)
                    CheckOthersSeeTheSame(fixture, model);
                backing.IsSuspended = false;
                if (hasFailed)
                    backing.FailAt = failsAgain && failures == 0 ? backing.Calls + 1 + call % 9 : 0;
            }
            backing.IsSuspended = true;
            CheckAtRest(fixture, model);
        }
        catch (Exception exception) when (exception is not XunitException { InnerException: not null })
        {
            throw new XunitException($"{where}: {exception}");
        }
        finally
        {
            file.Dispose();
        }
        return backing.Failures > 0;
    }

    /// <summary>What is there now, after it was found to consist of old and new blocks.</summary>
    private static byte[] CheckOldOrNew(SealedFile file, int blockSize, byte[] before, byte[] after)
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

    private static void CheckSame(SealedFile file, byte[] model)
    {
        Assert.Equal(model.Length, file.Length);
        byte[] actual = file.ReadBytes(0, model.Length + 1);
        int same = actual.AsSpan().CommonPrefixLength(model);
        if (same < model.Length || actual.Length != model.Length)
            throw new XunitException($"differs at {same} of {model.Length}");
    }

    /// <summary>What the instance claims is what is stored: for a process that comes now, and after a reboot.</summary>
    private static void CheckOthersSeeTheSame(SealedFixture fixture, byte[] model)
    {
        SealedFixture other = new(fixture.Recipe, fixture.Backing.Clone());
        using (SealedFile fresh = other.Open())
            CheckSame(fresh, model);
        other.Reboot();
        using SealedFile rebooted = other.Open();
        CheckSame(rebooted, model);
        Assert.Empty(other.Log.Lines);
    }

    private static void CheckAtRest(SealedFixture fixture, byte[] model)
    {
        Assert.False(fixture.Lock.IsHeld);
        Assert.False(fixture.Coherence.HasWriters);
        Assert.Empty(fixture.Log.Lines);
        using SealedFile again = fixture.Open();
        CheckSame(again, model);
        FileSurvey survey = again.Survey(_ => { });
        Assert.Equal(0, survey.DamagedBlocks);
        Assert.NotEqual(DigestState.Differs, survey.Digest);
        long decoded = SettledSize.Decode(fixture.Recipe.Geometry, fixture.Backing.Length);
        Assert.True(decoded == -1 || decoded == model.Length, $"st_size says {decoded}, not {model.Length}");
    }

    private static byte[] Padded(byte[] bytes, int start, int count)
    {
        byte[] padded = new byte[count];
        if (start < bytes.Length)
            bytes.AsSpan(start, Math.Min(count, bytes.Length - start)).CopyTo(padded);
        return padded;
    }

    private static IEnumerable<(string Name, Step[] Steps)> Scenarios(int blockSize)
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

    private static Step Sync() => new("sync", file => file.Sync(dataOnly: false), model => model);

    private static Step Settle() => new("settle", file => file.Settle(), model => model);
}
