using System;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Metadata.Agent;
using Overlay.Metadata.Protocol;

namespace Overlay.Engine;

/// <summary>This process's connection to the agent: made on first need, taken over in a forked child, made anew once if it broke.</summary>
internal sealed class AgentLink(EngineSettings settings)
{
    private readonly System.Threading.Lock _gate = new();
    private AgentClient? _client;

    internal bool HasAddress => settings.AgentPath is not null;

    internal T Ask<T>(byte[] volumeId, string subject, Func<AgentClient, T> question)
    {
        lock (_gate)
        {
            for (int attempt = 0; ; attempt++)
            {
                try
                {
                    return question(_client ??= Connect(volumeId));
                }
                catch (ErrnoException exception) when (IsConnectionFault(exception.Errno))
                {
                    _client?.Dispose();
                    _client = null;
                    if (attempt > 0)
                    {
                        EngineLog.Write(subject, $"the agent cannot be reached: {exception.Message}");
                        throw new ErrnoException(Errno.ENOTCONN, "the agent cannot be reached");
                    }
                }
            }
        }
    }

    /// <summary>Says something that nobody has to hear: nothing is started, awaited or logged for it.</summary>
    internal void TryTell(Action<AgentClient> what)
    {
        lock (_gate)
        {
            if (_client is null)
                return;
            try
            {
                what(_client);
            }
            catch (ErrnoException exception) when (IsConnectionFault(exception.Errno))
            {
                _client.Dispose();
                _client = null;
            }
        }
    }

    /// <summary>The connection is shared with the parent: answers would go astray.</summary>
    internal void AfterFork()
    {
        AgentClient? inherited = _client;
        if (inherited is null)
            return;
        Descriptors.Mark(inherited.Descriptor, false);
        try
        {
            _client = AgentClient.Adopt(inherited);
            Hide(_client);
        }
        catch (ErrnoException)
        {
            // The agent is gone or full: the next question connects anew, or says so.
            inherited.Dispose();
            _client = null;
        }
    }

    private static bool IsConnectionFault(int errno) =>
        errno is 2 or 9 or 13 or 32 or 103 or 104 or 107 or 110 or 111; // ENOENT EBADF EACCES EPIPE ECONN… ENOTCONN ETIMEDOUT

    private AgentClient Connect(byte[] volumeId)
    {
        AgentClient client;
        if (settings.AgentPath is not null)
        {
            client = AgentClient.Connect(settings.AgentPath);
        }
        else
        {
            string address = AgentAddress.ForVolume(volumeId);
            try
            {
                client = AgentClient.Connect(address);
            }
            catch (ErrnoException) when (settings.KeyFile is not null)
            {
                settings.StartAgent();
                client = AgentClient.Connect(address);
            }
        }
        Hide(client);
        return client;
    }

    private static void Hide(AgentClient client)
    {
        int high = Descriptors.FreeHighNumber();
        if (high >= 0)
            client.MoveDescriptor(high);
        Descriptors.Mark(client.Descriptor, true);
    }
}
