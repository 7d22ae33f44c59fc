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
            modes.Add(12, compresses, Errno.EDQUOT, true, false);
            modes.Add(12, compresses, Errno.EDQUOT, false, true);
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
        foreach ((string name, Step[] steps) in Scenario.All(recipe.BlockSize))
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
        foreach ((string name, Step[] steps) in Scenario.All(recipe.BlockSize))
            for (int call = 1; RunWithFault(recipe, name, steps, call, Errno.ENOSPC, isPersistent: call % 3 == 0, reopens: false, failsAgain: true); call++)
            {
            }
    }

    /// <summary>A disk that fails, and then is said to be full: the program is told what went wrong first, and how much was written before.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_first_fault_is_the_one_reported(bool compresses)
    {
        Recipe recipe = new(CipherSuite.Aes256Gcm, compresses, 12);
        foreach ((string name, Step[] steps) in Scenario.All(recipe.BlockSize))
            for (int call = 1; RunWithFault(recipe, name, steps, call, Errno.EIO, isPersistent: true, reopens: false, failsAgain: false, Errno.ENOSPC); call++)
            {
            }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Memory_may_run_out(bool compresses)
    {
        Recipe recipe = new(CipherSuite.Aes256Gcm, compresses, 12);
        foreach ((string name, Step[] steps) in Scenario.All(recipe.BlockSize))
            for (int call = 1; RunWithFault(recipe, name, steps, call, 0, isPersistent: false, reopens: false, failsAgain: false); call++)
            {
            }
    }

    /// <summary>The key is in the agent's hands by then; the file stays newborn, and the next one to come makes it a sealed one.</summary>
    [Theory]
    [InlineData(Errno.ENOSPC)]
    [InlineData(Errno.EDQUOT)]
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
        fixture.KeepsBases = call % 2 == 0;
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
                model = hasFailed ? Scenario.CheckOldOrNew(file, recipe.BlockSize, model, next) : next;
                Scenario.CheckSame(file, model);
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

    /// <summary>What the instance claims is what is stored: for a process that comes now, and after a reboot.</summary>
    private static void CheckOthersSeeTheSame(SealedFixture fixture, byte[] model)
    {
        SealedFixture other = new(fixture.Recipe, fixture.Backing.Clone());
        using (SealedFile fresh = other.Open())
            Scenario.CheckSame(fresh, model);
        other.Reboot();
        using SealedFile rebooted = other.Open();
        Scenario.CheckSame(rebooted, model);
        Assert.Empty(other.Log.Lines);
    }

    private static void CheckAtRest(SealedFixture fixture, byte[] model)
    {
        Assert.False(fixture.Lock.IsHeld);
        Assert.False(fixture.Coherence.HasWriters);
        Assert.Empty(fixture.Log.Lines);
        using SealedFile again = fixture.Open();
        Scenario.CheckSame(again, model);
        FileSurvey survey = again.Survey(_ => { });
        Assert.Equal(0, survey.DamagedBlocks);
        Assert.NotEqual(DigestState.Differs, survey.Digest);
        long decoded = SettledSize.Decode(fixture.Recipe.Geometry, fixture.Backing.Length);
        Assert.True(decoded == -1 || decoded == model.Length, $"st_size says {decoded}, not {model.Length}");
    }
}
