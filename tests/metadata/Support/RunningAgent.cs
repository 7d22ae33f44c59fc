using System;
using System.Collections.Concurrent;
using System.IO.Pipes;
using System.Threading;
using Overlay.Metadata.Agent;
using Overlay.Metadata.Protocol;
using Overlay.Metadata.Volumes;

namespace Overlay.Metadata.Tests.Support;

/// <summary>An agent on a thread of the test.</summary>
internal sealed class RunningAgent : IDisposable
{
    private readonly UnlockedVolume _volume;
    private readonly AgentServer _server;
    private readonly AnonymousPipeServerStream _stop = new(PipeDirection.Out);
    private readonly Thread _thread;
    private Exception? _failure;
    private bool _stopped;

    public RunningAgent(TestVolume volume, string? socketPath = null, int rootPid = 0)
    {
        SocketPath = socketPath ?? volume.SocketPath;
        _volume = volume.Unlock();
        try
        {
            _server = new AgentServer([_volume], SocketPath, rootPid, Log.Enqueue);
        }
        catch
        {
            _volume.Dispose();
            throw;
        }
        _thread = new Thread(Run);
        _thread.Start();
    }

    public string SocketPath { get; }

    public ConcurrentQueue<string> Log { get; } = new();

    public AgentClient Connect() => AgentClient.Connect(SocketPath);

    public void Stop()
    {
        if (_stopped)
            return;
        _stopped = true;
        _stop.WriteByte(1);
        _thread.Join();
        _server.Dispose();
        _volume.Dispose();
        _stop.Dispose();
        if (_failure is not null)
            throw new InvalidOperationException("the agent failed", _failure);
    }

    public void Dispose() => Stop();

    private void Run()
    {
        try
        {
            _server.Run((int)_stop.ClientSafePipeHandle.DangerousGetHandle());
        }
        catch (Exception e)
        {
            _failure = e;
        }
    }
}
