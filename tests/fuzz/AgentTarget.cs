using System;
using System.Collections.Generic;
using System.Diagnostics;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Protocol;
using Overlay.Metadata.Tests.Protocol;
using Overlay.Metadata.Tests.Support;

namespace Overlay.Fuzz;

/// <summary>
/// A live agent and clients without manners: broken packets, packets cut or far too large, descriptors that nobody asked for, clients that
/// send and never listen, and hang up in the middle. Whoever keeps to the protocol is served all the while.
/// </summary>
internal sealed class AgentTarget : Target, IDisposable
{
    private const int KeptClients = 40;

    private readonly TestVolume _volume = new();
    private readonly RunningAgent _agent;
    private readonly List<byte[]> _seeds;
    private readonly Queue<RawPeer> _idle = new();
    private int _count;

    public AgentTarget()
    {
        _agent = new RunningAgent(_volume);
        _seeds = Packets.Sound(_volume.Config.VolumeId);
    }

    public override string Name => "agent";

    public override double Percent => 2;

    public override IReadOnlyList<byte[]> Seeds => _seeds;

    public override byte[] Make(Mutator mutator)
    {
        byte[] packet = mutator.Mutate(_seeds[mutator.Random.Next(_seeds.Count)], _seeds, 20_000);
        if (mutator.Random.Next(30) == 0)
            Array.Resize(ref packet, mutator.Random.Next(8000, 200_000));
        // The first byte says how the client behaves, the rest is its packet.
        return [(byte)mutator.Random.Next(256), .. packet];
    }

    public override void Run(byte[] input)
    {
        if (input.Length < 2)
            return;
        int manners = input[0];
        RawPeer peer = RawPeer.Connect(_agent.SocketPath);
        if (manners % 4 != 0)
            peer.Greet();
        for (int i = manners / 16; i >= 0; i--)
            if (!TrySend(peer, input.AsSpan(1)))
                break;
        // Some hang up, some stay and never listen.
        if (manners % 8 == 7)
            _idle.Enqueue(peer);
        else
            peer.Dispose();
        if (_idle.Count > KeptClients)
            _idle.Dequeue().Dispose();
        if (_count++ % 16 == 0)
            CheckService();
    }

    public override void Finish()
    {
        while (_idle.TryDequeue(out RawPeer? peer))
            peer.Dispose();
        CheckService();
        OthersAreRefused();
        _agent.Stop();
    }

    public void Dispose()
    {
        _agent.Dispose();
        _volume.Dispose();
    }

    /// <summary>A packet that the socket does not take at all is none.</summary>
    private static bool TrySend(RawPeer peer, ReadOnlySpan<byte> packet)
    {
        try
        {
            return peer.TrySend(packet);
        }
        catch (System.Net.Sockets.SocketException)
        {
            return false;
        }
    }

    private void CheckService()
    {
        using AgentClient client = _agent.Connect();
        if (client.TakeNewKeys(_volume.Config.VolumeId, 1, new GrantedKey[1]) != 1)
            throw new FindingException("a sound client was not served");
    }

    /// <summary>Another user's process, where we can be one.</summary>
    private void OthersAreRefused()
    {
        if (Environment.UserName != "root")
        {
            Console.WriteLine("     agent: another user's clients are left out: that needs root");
            return;
        }
        string script = "import socket,sys\ns=socket.socket(socket.AF_UNIX,socket.SOCK_SEQPACKET)\n" +
            "try:\n s.connect(sys.argv[1]); s.send(bytes.fromhex('0100000000000000')+b'OVLA'+bytes([1,0,1,0])); r=s.recv(8192)\n" +
            "except OSError: sys.exit(0)\nsys.exit(0 if len(r) == 8 and r[2] == 1 else 1)";
        // Search permission for all: only what the agent says of peers is left to refuse them.
        string directory = System.IO.Path.GetDirectoryName(_agent.SocketPath)!;
        System.IO.UnixFileMode before = System.IO.File.GetUnixFileMode(directory), socket = System.IO.File.GetUnixFileMode(_agent.SocketPath);
        System.IO.File.SetUnixFileMode(directory, before | System.IO.UnixFileMode.OtherExecute);
        System.IO.File.SetUnixFileMode(_agent.SocketPath, (System.IO.UnixFileMode)0x1B6);
        using Process process = Process.Start("setpriv", ["--reuid", "65534", "--regid", "65534", "--clear-groups", "/usr/bin/python3", "-S", "-c", script, _agent.SocketPath]);
        process.WaitForExit();
        System.IO.File.SetUnixFileMode(directory, before);
        System.IO.File.SetUnixFileMode(_agent.SocketPath, socket);
        if (process.ExitCode != 0)
            throw new FindingException(process.ExitCode == 1 ? "another user was served" : $"the other user's client ended with {process.ExitCode}");
    }
}
