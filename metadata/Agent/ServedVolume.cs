using System;

namespace Overlay.Metadata.Agent;

/// <summary>A volume that the agent serves: its keys, who may have them, and what is recorded of that.</summary>
internal sealed class ServedVolume : IDisposable
{
    internal ServedVolume(KeyPool pool, LogLimiter log)
    {
        Pool = pool;
        Audit = new AgentAudit(pool);
        Policy = new AgentPolicy(pool, Audit, log);
    }

    internal KeyPool Pool { get; }

    internal AgentAudit Audit { get; }

    internal AgentPolicy Policy { get; }

    public void Dispose()
    {
        Policy.Dispose();
        Audit.Dispose();
    }
}
