using System;
using System.Collections.Generic;
using System.Threading;
using Overlay.Ctl.Keys;
using Overlay.Ctl.Rekey;
using Overlay.Metadata.Agent;
using Overlay.Metadata.Volumes;
using Overlay.Pages;

namespace Overlay.Ctl;

/// <summary>An agent on a thread of this process, until it is disposed of.</summary>
internal sealed class AgentHost : IDisposable
{
    private readonly List<UnlockedVolume> _volumes;
    private readonly AgentServer _server;
    private readonly Thread _thread;
    private readonly int _stopWriter;

    /// <summary>Listens at <paramref name="socketPath"/> when this returns. Owns the volumes.</summary>
    internal AgentHost(List<UnlockedVolume> volumes, string socketPath, int rootProcess)
    {
        _volumes = volumes;
        SocketPath = socketPath;
        _server = new AgentServer(volumes, socketPath, rootProcess, line => Console.Error.WriteLine($"overlay-ctl: agent: {line}"),
            new AgentPageSealer(), new AgentFileRekeyer(), SealLimit.MostSeals);
        (int stopReader, _stopWriter) = Posix.MakePipe();
        _thread = new Thread(() => _server.Run(stopReader)) { IsBackground = true, Name = "agent" };
        _thread.Start();
    }

    internal string SocketPath { get; }

    internal IReadOnlyList<UnlockedVolume> Volumes => _volumes;

    internal AgentMetrics Metrics => _server.Metrics;

    internal int Connections => _server.Connections;

    public void Dispose()
    {
        Posix.Close(_stopWriter);
        _thread.Join();
        _server.Dispose();
        _volumes.ForEach(volume => volume.Dispose());
    }
}
