using System;
using System.Collections.Generic;
using Overlay.Metadata.Agent;
using Overlay.Metadata.Interop;
using Overlay.Metadata.Protocol;
using Overlay.Metadata.Tests.Support;
using Overlay.Metadata.Volumes;

namespace Overlay.Fuzz;

/// <summary>What the agent makes of one packet, without sockets.</summary>
internal sealed class PacketTarget : Target, IDisposable
{
    private readonly TestVolume _volume = new();
    private readonly UnlockedVolume _unlocked;
    private readonly RequestHandler _handler;
    private readonly byte[] _reply = new byte[AgentMessage.MaxPacket];
    private readonly List<byte[]> _seeds;

    public PacketTarget()
    {
        _unlocked = _volume.Unlock();
        _handler = new RequestHandler([new KeyPool(_unlocked)], null, new LogLimiter(_ => { }), () => 1);
        _seeds = Packets.Sound(_volume.Config.VolumeId);
    }

    public override string Name => "packet";

    public override double Percent => 40;

    public override IReadOnlyList<byte[]> Seeds => _seeds;

    public override byte[] Make(Mutator mutator) => mutator.Mutate(_seeds[mutator.Random.Next(_seeds.Count)], _seeds, AgentMessage.MaxPacket);

    public override void Run(byte[] input)
    {
        if (input.Length < AgentMessage.HeaderSize)
            return;
        foreach (bool isGreeted in new[] { false, true })
        {
            using Connection from = new(-1, 1, 0, isGreeted);
            int received = -1;
            bool isSound = _handler.TryHandle(from, input, ref received, _reply, out int length, out int lent);
            PacketSocket.CloseIfOpen(ref lent);
            if (length < 0 || length > _reply.Length || (!isSound && length != 0))
                throw new FindingException($"a reply of {length} bytes");
        }
    }

    public void Dispose()
    {
        _unlocked.Dispose();
        _volume.Dispose();
    }
}
