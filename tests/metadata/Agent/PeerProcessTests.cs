using System;
using System.Diagnostics;
using System.IO;
using System.Text;
using System.Threading;
using Overlay.Metadata.Agent;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Protocol;
using Xunit;

namespace Overlay.Metadata.Tests.Agent;

public class PeerProcessTests
{
    [Theory]
    [InlineData("7 (a) S 1 7 7 0 -1 4 0 0 0 0 0 0 0 0 20 0 1 0 4711 0", 4711)]
    [InlineData("7 (a) b) S) R 1 7 7 0 -1 4 0 0 0 0 0 0 0 0 20 0 1 0 12 0", 12)]
    [InlineData("7 (a) S 1 7 7 0", -1)]
    [InlineData("7 (a)", -1)]
    [InlineData("", -1)]
    public void Start_time_is_found_behind_any_name(string stat, long expected) =>
        Assert.Equal(expected, ProcessFiles.ParseStartTime(Encoding.UTF8.GetBytes(stat)));

    [Fact]
    public void Process_is_who_it_is()
    {
        using var socket = new Pair();
        var subject = socket.PeerOf(Environment.ProcessId).Look(new ExecutableDigests(), out var complaint)!;
        Assert.Empty(complaint);
        Assert.Equal(ProcessCalls.EffectiveUserId(), subject.UserId);
        Assert.NotEmpty(subject.GroupIds);
        Assert.Equal(Environment.ProcessPath, subject.Executable);
        Assert.True(subject.IsExecutableConfirmed);
        Assert.Equal(64, subject.Digest!.Length);
    }

    [Fact]
    public void Process_that_executes_another_program_is_another_and_one_that_has_ended_is_nobody()
    {
        using var socket = new Pair();
        using var child = Process.Start(new ProcessStartInfo("/bin/bash", ["-c", "read -r x; exec sleep 60"]) { RedirectStandardInput = true })!;
        Assert.True(SpinWait.SpinUntil(() => new FileInfo($"/proc/{child.Id}/exe").LinkTarget!.EndsWith("bash", StringComparison.Ordinal), 5000));
        var peer = socket.PeerOf(child.Id);
        Assert.EndsWith("bash", peer.Look(new ExecutableDigests(), out _)!.Executable, StringComparison.Ordinal);
        child.StandardInput.WriteLine();
        Assert.True(SpinWait.SpinUntil(() => new FileInfo($"/proc/{child.Id}/exe").LinkTarget!.EndsWith("sleep", StringComparison.Ordinal), 5000));
        Assert.Null(peer.Look(new ExecutableDigests(), out var complaint));
        Assert.Contains("another program", complaint, StringComparison.Ordinal);
        child.Kill();
        child.WaitForExit();
        Assert.Null(peer.Look(new ExecutableDigests(), out complaint));
        Assert.Contains("ended", complaint, StringComparison.Ordinal);
    }

    [Fact]
    public void Hash_is_that_of_the_file_that_runs_and_made_anew_when_it_changes()
    {
        var directory = Directory.CreateTempSubdirectory("overlay-peer-");
        try
        {
            var program = Path.Combine(directory.FullName, "program");
            File.Copy("/bin/sleep", program);
            using var first = Process.Start(program, "60");
            var digests = new ExecutableDigests();
            var before = digests.Of(first.Id);
            File.Move(program, program + ".old");
            File.Copy("/bin/sleep", program);
            File.AppendAllText(program, "more");
            using var second = Process.Start(program, "60");
            Assert.Equal(before, digests.Of(first.Id));
            Assert.NotEqual(before, digests.Of(second.Id));
            first.Kill();
            second.Kill();
            first.WaitForExit();
            Assert.Null(digests.Of(first.Id));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    /// <summary>Whoever is asked about, the socket's own peer is this process, which lives.</summary>
    private sealed unsafe class Pair : IDisposable
    {
        private int _one, _other;

        public Pair()
        {
            var pair = stackalloc int[2];
            Assert.Equal(0, SocketCalls.SocketPair(SocketCalls.AddressFamilyUnix, SocketCalls.SequencedPackets | SocketCalls.CloseOnExec, 0, pair));
            (_one, _other) = (pair[0], pair[1]);
        }

        public PeerProcess PeerOf(int processId) => new(_one, new PeerCredentials { ProcessId = processId, UserId = 4242, GroupId = 4242 });

        public void Dispose()
        {
            PacketSocket.CloseIfOpen(ref _one);
            PacketSocket.CloseIfOpen(ref _other);
        }
    }
}
