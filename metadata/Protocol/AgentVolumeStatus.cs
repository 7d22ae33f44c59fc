namespace Overlay.Metadata.Protocol;

/// <summary>One volume of an agent.</summary>
public sealed class AgentVolumeStatus
{
    internal AgentVolumeStatus(byte[] volumeId, string root, int pooledKeys)
    {
        VolumeId = volumeId;
        Root = root;
        PooledKeys = pooledKeys;
    }

    /// <summary>16 bytes.</summary>
    public byte[] VolumeId { get; }

    public string Root { get; }

    /// <summary>Keys that are durable and wait to be handed out.</summary>
    public int PooledKeys { get; }
}
