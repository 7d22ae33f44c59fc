using System;
using Microsoft.Data.Sqlite;
using Overlay.Metadata.Volumes;

namespace Overlay.Metadata.Tests.Support;

/// <summary>A volume with a key file, in a directory of its own.</summary>
internal sealed class TestVolume : IDisposable
{
    private readonly TestDirectory _directory = new();

    public TestVolume(VolumeOptions? options = null)
    {
        KeyFile = _directory.KeyFile();
        using var secret = KeySecret.FromKeyFile(KeyFile);
        Config = VolumeCreator.Create(Root, secret, options ?? new VolumeOptions());
    }

    public string Root => _directory.At("vault");

    public string KeyFile { get; }

    public VolumeConfig Config { get; }

    public string StorePath => new VolumePaths(Root).Store(Config);

    public string At(string name) => _directory.At(name);

    public string SocketPath => At("agent.sock");

    public UnlockedVolume Unlock()
    {
        using var secret = KeySecret.FromKeyFile(KeyFile);
        return VolumeUnlocker.Unlock(Root, secret);
    }

    /// <summary>Straight at the database, behind the store's back.</summary>
    public long Sql(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={StorePath};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return Convert.ToInt64(command.ExecuteScalar() ?? 0L, System.Globalization.CultureInfo.InvariantCulture);
    }

    public void Dispose() => _directory.Dispose();
}
