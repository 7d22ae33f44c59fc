using System;
using Overlay.Crypto;
using Overlay.Files;
using Overlay.Interop;
using Overlay.Metadata.Agent;
using Overlay.Metadata.Protocol;

namespace Overlay.Engine;

/// <summary>This process's connection to the agent: made on first need, taken over in a forked child, made anew once if it broke.</summary>
internal sealed class AgentLink(EngineSettings settings, bool isQuiet = false)
{
    /// <summary>How often a question is asked: once more, and oftener where agents can be started, since the new one may be killed, too.</summary>
    private const int Attempts = 2, AttemptsWithStart = 5, FailedStarts = 3;

    private readonly System.Threading.Lock _gate = new();
    private AgentClient? _client;

    internal bool HasAddress => settings.AgentPath is not null;

    internal string? Address => settings.AgentPath;

    /// <summary>The last question was answered.</summary>
    internal bool IsAlive => _client is not null;

    /// <summary>A link to another agent; it is not started, nor complained about, if it is not there.</summary>
    internal AgentLink At(string socketPath) => new(settings with { AgentPath = socketPath, KeyFile = null }, isQuiet: true);

    internal T Ask<T>(byte[] volumeId, string subject, Func<AgentClient, T> question)
    {
        lock (_gate)
        {
            for (int attempt = 0; ; attempt++)
            {
                try
                {
                    ProcessCounters.CountQuestion(isRepeated: attempt > 0);
                    return question(_client ??= Connect(volumeId));
                }
                catch (ErrnoException exception) when (IsConnectionFault(exception.Errno))
                {
                    _client?.Dispose();
                    _client = null;
                    // One that is there and does not answer has cost its half minute already.
                    bool mayStart = settings is { AgentPath: null, KeyFile: not null } && exception.Errno != Errno.ETIMEDOUT;
                    int limit = !mayStart ? Attempts : exception.Errno == Errno.ENOTCONN ? FailedStarts : AttemptsWithStart;
                    if (attempt + 1 >= limit)
                    {
                        if (!isQuiet)
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

    /// <summary>The same, where nobody else is just talking to the agent.</summary>
    internal void TryTellAside(Action<AgentClient> what)
    {
        if (!_gate.TryEnter())
            return;
        try
        {
            TryTell(what);
        }
        finally
        {
            _gate.Exit();
        }
    }

    /// <summary>The connection is shared with the parent: answers would go astray.</summary>
    internal void AfterFork()
    {
        int slot = isQuiet ? CounterTable.NoSlot : CounterTable.TakeSlot();
        AgentClient? inherited = _client;
        if (inherited is null)
        {
            CounterTable.GiveBack(slot);
            return;
        }
        Descriptors.Mark(inherited.Descriptor, false);
        try
        {
            _client = AgentClient.Adopt(inherited, slot);
            Hide(_client);
        }
        catch (ErrnoException)
        {
            // The agent is gone or full: the next question connects anew, or says so.
            inherited.Dispose();
            _client = null;
            CounterTable.GiveBack(slot);
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
        if (!isQuiet)
            ShareCounters(client);
        return client;
    }

    private static void ShareCounters(AgentClient client)
    {
        int counters = CounterTable.Make();
        if (counters < 0)
            return;
        try
        {
            client.ShareCounters(counters);
        }
        finally
        {
            _ = Kernel.Close(counters);
        }
    }

    private static void Hide(AgentClient client)
    {
        int high = Descriptors.FreeHighNumber();
        if (high >= 0)
            client.MoveDescriptor(high);
        Descriptors.Mark(client.Descriptor, true);
    }
}
