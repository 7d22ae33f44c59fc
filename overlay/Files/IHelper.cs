namespace Overlay.Files;

/// <summary>A second thread for large writes, one for all files of the process; and who shares them out (decisions "Who helps with a large write?").</summary>
internal unsafe interface IHelper
{
    /// <summary>Whoever finds it busy, or that there is none, works alone.</summary>
    /// <param name="bytes">Worth its help.</param>
    bool TryTake(long bytes);

    /// <summary>It may begin with this job. Whether and when it does is not known.</summary>
    void Call(AheadJob* job);

    /// <summary>When this returns, it has left the job, if it ever came.</summary>
    void Recall();

    /// <summary>It is anyone's again.</summary>
    void Release();
}
